"""Time of a gradient by forward and by reverse mode against the number of parameters."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.present.figures.base import FigureData, NothingToShow
from odestudy.present.figures.lines import draw_line, line_handles
from odestudy.present.figures.scales import log_axis, ticks_at
from odestudy.present.figures.style import canvas, legend_below, looks
from odestudy.present.figures.words import in_order, listing, number, sentence

TABLE, CROSSOVER = "gradients_modes", "gradients_crossover"


def draw(data: FigureData) -> Figure:
    table = _table(data)
    figure, grid = canvas(1, 1, height=3.0)
    axes = grid[0, 0]
    styles = looks(in_order(table, "arm"))
    for arm, style in styles.items():
        rows = table[table["arm"] == arm]
        draw_line(axes, rows, "parameters", "wall_s", style)
        axes.vlines(
            rows["parameters"],
            rows["wall_q1_s"],
            rows["wall_q3_s"],
            color=style["color"],
            linewidth=2.2,
            alpha=0.5,
        )
    axes.set_xscale("log")
    log_axis(axes, "y")
    ticks_at(axes, sorted(set(table["parameters"])))
    axes.set(xlabel=data.axis("parameters"), ylabel=data.axis("wall_s"))
    legend_below(figure, line_handles(styles), 3)
    return figure


def caption(data: FigureData) -> str:
    table, crossover = _table(data), data.table(CROSSOVER)
    column = "crossover_by_wall_s"
    known = crossover[column].dropna() if column in crossover else pd.Series(dtype=float)
    least = table["parameters"].min()
    if known.empty:
        where = "at no number of parameters in the range"
    elif known.iloc[0] == least:
        where = f"at every number of parameters in the range, the smallest, {least}, among them"
    else:
        where = f"from {number(float(known.iloc[0]), 4)} parameters on"
    ends = table[table["parameters"].isin([least, table["parameters"].max()])]
    wall = ends.set_index(["parameters", "arm"])["wall_s"]
    ratios = [number(wall[p, "forward"] / wall[p, "backprop"]) for p in sorted(set(ends["parameters"]))]
    text = sentence(
        f"back-propagation is faster than forward sensitivities {where}; forward takes {' to '.join(ratios)} times as long"
    )
    return f"{text} Two state dimensions, one hidden layer, RK4; median of repeats, bars: quartiles. One machine, no compilation."


def alt(data: FigureData) -> str:
    arms = listing(map(data.label, in_order(_table(data), "arm")))
    return f"Log-log lines of time against parameters for {arms}: reverse modes level, forward mode rising."


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty or "wall_s" not in table:
        raise NothingToShow("no gradient was timed")
    return table
