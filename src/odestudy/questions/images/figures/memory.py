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
    what = "right, the peak of the process in one training step, which is what a user runs out of"
    kept = "left, what of it is kept for the backward pass"
    return cost_caption(data, what, COLUMNS[1], f"each measured once, hence no bars; {kept}")


def alt(data: FigureData) -> str:
    arms = listing(map(data.label, in_order(cost_table(data), "arm")))
    return (
        "Two plots with both axes logarithmic, memory against steps or blocks, left what is saved "
        f"for the backward pass, right the peak; a line for {arms}."
    )
