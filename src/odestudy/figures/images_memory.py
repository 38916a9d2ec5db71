"""Memory of one training step against steps or blocks: what is kept for the backward pass, and the peak."""

from __future__ import annotations

from matplotlib.figure import Figure

from odestudy.figures.base import FigureData
from odestudy.figures.scaling import cost_table, draw_costs, growth, once
from odestudy.figures.words import failures, in_order, listing, sentence

COLUMNS = ["saved_mib", "peak_mib"]


def draw(data: FigureData) -> Figure:
    return draw_costs(data, COLUMNS)


def caption(data: FigureData) -> str:
    text = sentence(f"memory saved for the backward pass of one training step, {growth(data, COLUMNS[0])}")
    failed = failures(data, cost_table(data), ["dataset", "arm"], "crosses at the upper edge")
    return f"{text} {sentence(f'{once(data)}; each measured once, hence no bars')} {failed}"


def alt(data: FigureData) -> str:
    arms = listing(map(data.label, in_order(cost_table(data), "arm")))
    return (
        "Two plots with both axes logarithmic, memory against steps or blocks, left what is saved "
        f"for the backward pass, right the peak; a line for {arms}."
    )
