"""Time of one training step against steps or blocks."""

from __future__ import annotations

from matplotlib.figure import Figure

from odestudy.figures.base import FigureData
from odestudy.figures.words import in_order, listing
from odestudy.questions.images.figures._scaling import cost_caption, cost_table, draw_costs

SHOWS = {"title": "Time of a training step against steps", "tables": ["images_cost"]}

COLUMN = "wall_s"
QUARTILES = ("wall_q1_s", "wall_q3_s")


def draw(data: FigureData) -> Figure:
    return draw_costs(data, [COLUMN], QUARTILES)


def caption(data: FigureData) -> str:
    what = "median time of one training step"
    return cost_caption(data, what, COLUMN, "bars: quartiles over the timed repeats")


def alt(data: FigureData) -> str:
    arms = listing(map(data.label, in_order(cost_table(data), "arm")))
    return (
        "Plot with both axes logarithmic, time of a training step against the number of steps or blocks; a "
        f"line with quartile bars for {arms}."
    )
