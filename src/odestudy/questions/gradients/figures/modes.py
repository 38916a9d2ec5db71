"""Time and operations of a gradient by forward and by reverse mode against the number of parameters."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis, ticks_at
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import in_order, listing, number, seeds_and_bars, sentence

SHOWS = {
    "title": "Forward and reverse mode against the number of parameters",
    "tables": ["gradients_modes", "gradients_crossover"],
}
TABLE, CROSSOVER = "gradients_modes", "gradients_crossover"
COLUMNS = ("wall_s", "operations")


def draw(data: FigureData) -> Figure:
    summary = _summary(data)
    figure, grid = canvas(1, len(COLUMNS), height=3.0)
    styles = data.looks(in_order(summary, "arm"), "arm")
    for axes, column in zip(grid[0], COLUMNS, strict=True):
        for arm, style in styles.items():
            draw_line(axes, summary[summary["arm"] == arm], "parameters", column, style)
        axes.set_xscale("log")
        log_axis(axes, "y")
        ticks_at(axes, sorted(set(summary["parameters"])))
        axes.set(xlabel=data.axis("parameters"), ylabel=data.axis(column))
    legend_below(figure, line_handles(styles), 3)
    return figure


def caption(data: FigureData) -> str:
    summary, crossover = _summary(data), data.table(CROSSOVER)
    column = "crossover_by_wall_s"
    known = crossover[column].dropna() if column in crossover else pd.Series(dtype=float)
    least, most = summary["parameters"].min(), summary["parameters"].max()
    sides = set(crossover["crossing"])
    if sides == {f"below {least}"}:
        where = f"at every number of parameters measured, the smallest, {least}, among them"
    elif known.empty:
        where = "at no number of parameters in the range" if len(sides) == 1 else "in part of the runs"
    else:
        ends = [number(float(end), 4) for end in (known.min(), known.max())]
        where = f"from {' to '.join(dict.fromkeys(ends))} parameters on"
    wall = summary.set_index(["parameters", "arm"])["wall_s"]
    ratios = [number(wall[p, "forward"] / wall[p, "backprop"]) for p in (least, most)]
    counts = summary.set_index(["parameters", "arm"])["operations"]
    counted = [number(counts[p, "forward"] / counts[p, "backprop"]) for p in (least, most)]
    text = sentence(
        f"back-propagation is faster than forward sensitivities {where}; forward takes {' to '.join(ratios)} times as long and {' to '.join(counted)} times the operations"
    )
    bars = seeds_and_bars(data, data.table(TABLE), summary, ["wall_s"], band=True)
    return f"{text} Sixteen states, one hidden layer, RK4; operations are those of matrix products. {bars} A seed is another initialisation timed in the same process, so bars do not hold for other machines or runs; no compilation."


def alt(data: FigureData) -> str:
    arms = listing(data.label(arm, "arm") for arm in in_order(_summary(data), "arm"))
    return f"Log-log lines of time and of floating-point operations against parameters for {arms}."


def _summary(data: FigureData) -> pd.DataFrame:
    summary = data.table(f"{TABLE}_summary")
    if summary.empty:
        raise NothingToShow("no gradient was timed")
    return summary
