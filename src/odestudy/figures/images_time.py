"""Time of one training step against steps or blocks."""

from __future__ import annotations

from matplotlib.figure import Figure

from odestudy.figures.base import FigureData
from odestudy.figures.scaling import cost_table, draw_costs, growth, once
from odestudy.figures.words import failures, in_order, listing, sentence

COLUMN = "wall_s"
QUARTILES = ("wall_q1_s", "wall_q3_s")


def draw(data: FigureData) -> Figure:
    return draw_costs(data, [COLUMN], QUARTILES)


def caption(data: FigureData) -> str:
    text = sentence(f"median time of one training step, {growth(data, COLUMN)}")
    failed = failures(data, cost_table(data), ["dataset", "arm"], "crosses at the upper edge")
    return f"{text} {sentence(f'{once(data)}; bars: quartiles over the timed repeats')} {failed}"


def alt(data: FigureData) -> str:
    arms = listing(map(data.label, in_order(cost_table(data), "arm")))
    return (
        "Plot with both axes logarithmic, time of a training step against the number of steps or blocks; a "
        f"line with quartile bars for {arms}."
    )
