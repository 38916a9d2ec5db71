"""Memory of one training step against steps or blocks: what is kept for the backward pass, and the peak."""

from __future__ import annotations

from matplotlib.figure import Figure

from odestudy.figures.base import FigureData
from odestudy.figures.words import in_order, listing
from odestudy.questions.images.figures._scaling import cost_caption, cost_table, draw_costs

SHOWS = {"title": "Memory against steps", "tables": ["images_cost"]}

COLUMNS = ["saved_mib", "peak_mib"]


def draw(data: FigureData) -> Figure:
    return draw_costs(data, COLUMNS)


def caption(data: FigureData) -> str:
    what = "memory saved for the backward pass of one training step"
    return cost_caption(data, what, COLUMNS[0], "each measured once, hence no bars")


def alt(data: FigureData) -> str:
    arms = listing(map(data.label, in_order(cost_table(data), "arm")))
    return (
        "Two plots with both axes logarithmic, memory against steps or blocks, left what is saved "
        f"for the backward pass, right the peak; a line for {arms}."
    )
