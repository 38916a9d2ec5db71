"""Error of the log-density of a sample against the counted work, by formula and dimension."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import counted, in_order, listing, number, sentence

SHOWS = {
    "title": "Error of log p against counted work",
    "tables": ["density_accuracy", "density_equal", "density_equal_cost"],
}

TABLE, EQUAL, COST = "density_accuracy", "density_equal", "density_equal_cost"


def draw(data: FigureData) -> Figure:
    table = _table(data)
    dimensions, styles = in_order(table, "d"), data.looks(in_order(table, "formula"), "formula")
    columns = min(3, len(dimensions))
    figure, grid = canvas(-(-len(dimensions) // columns), columns, height=2.2, sharey=True)
    for axes, d in zip(grid.flat, dimensions, strict=False):
        mine = table[table["d"] == d]
        for formula, style in styles.items():
            for _, run in mine[mine["formula"] == formula].groupby("seed"):
                draw_line(axes, run, "flops", "error_nat", style | {"markersize": 3.5})
        log_axis(axes, "x")
        axes.set_title(f"d = {d}")
    for axes in list(grid.flat)[len(dimensions) :]:
        axes.set_axis_off()
    log_axis(grid[0, 0], "y")
    for row in grid:
        row[0].set_ylabel(data.axis("error_nat"))
    for axes in grid[-1]:
        axes.set_xlabel(data.axis("flops"))
    legend_below(figure, line_handles(styles))
    return figure


def caption(data: FigureData) -> str:
    equal = data.table(f"{EQUAL}_summary").dropna(subset=["work_ratio"])
    said = [f"{number(row['work_ratio'], 3)} at d = {row['d']:.0f}" for _, row in equal.iterrows()]
    text = sentence(
        "at an equal error of log p against the continuous flow the log-determinant needs, over the exact trace, "
        f"{listing(said)} times the operations"
        if said
        else "no formula reached the wanted error"
    )
    never = _never(data)
    seeds = counted(int(_table(data)["seed"].nunique()), "seed")
    return f"{text} {never} Each marker is a step size, halved from right to left of the error's fall; {seeds}, each its own line."


def _never(data: FigureData) -> str:
    """Formulas that reach the wanted error on no flow, in any dimension."""
    table = data.table(COST)
    if table.empty:
        return ""
    most = table.groupby("formula", sort=False)["reached_pct"].max()
    names = [str(style["label"]) for style in data.looks(most[most == 0].index, "formula").values()]
    return sentence(f"with the most steps tried it is not reached by {listing(names)}") if names else ""


def alt(data: FigureData) -> str:
    return (
        "Log-log panels by dimension, error against operations, for the exact trace, the log-determinant and estimates "
        "with few probes."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty or "error_nat" not in table:
        raise NothingToShow("no flow was compared")
    return table
