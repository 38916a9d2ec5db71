"""Error of the gradient against the tolerance, by problem and arm."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.analysis.selecting import is_ok
from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import counted, failures, in_order, listing, number, sentence

SHOWS = {
    "title": "Error of the gradient against the tolerance",
    "tables": ["gradients_tolerance"],
}
TABLE = "gradients_tolerance"
SHOWN = ("backprop", "forward", "reversible", "adjoint", "torchdiffeq_adjoint")  # the table has all
WORST = 10.0  # a larger error is drawn there
MARGIN = 100.0  # times the error of back-propagation, beyond which the caption names a problem


def draw(data: FigureData) -> Figure:
    table = _table(data)
    arms = [arm for arm in in_order(table, "arm") if arm in SHOWN]
    problems, styles = in_order(table, "problem"), data.looks(arms, "arm")
    columns = min(3, len(problems))
    figure, grid = canvas(-(-len(problems) // columns), columns, height=2.5, sharey=True)
    for axes, problem in zip(grid.flat, problems, strict=False):
        mine = table[(table["problem"] == problem) & is_ok(table)]
        mine = mine.assign(gradient_error=mine["gradient_error"].clip(upper=WORST))
        for arm, style in styles.items():
            draw_line(axes, mine[mine["arm"] == arm], "rtol", "gradient_error", style | {"markersize": 4})
        ends = [mine["rtol"].min(), mine["rtol"].max()]
        axes.plot(ends, ends, color="black", linewidth=0.8, zorder=0)
        axes.set_xscale("log")
        log_axis(axes, "x")
        log_axis(axes, "y")
        axes.set(title=data.label(problem), xlabel=data.axis("rtol"))
    for axes in list(grid.flat)[len(problems) :]:
        axes.set_axis_off()
    for row in grid:
        row[0].set_ylabel("gradient error")
    legend_below(figure, line_handles(styles), 3)
    return figure


def caption(data: FigureData) -> str:
    table = _table(data)
    tight = table[table["rtol"] == table["rtol"].min()]
    wide = tight.pivot_table(
        index="problem", columns="arm", values="gradient_error", dropna=False, sort=False
    )
    wide = wide.reindex(columns=["backprop", "adjoint"])
    off = [
        f"{data.label(str(problem))} ({'no gradient' if pd.isna(row['adjoint']) else number(row['adjoint'])} against {number(row['backprop'])})"
        for problem, row in wide.iterrows()
        if not row["adjoint"] <= MARGIN * row["backprop"]
    ]
    where = (
        f"{listing(off)}, not on the other {len(wide) - len(off)}"
        if off
        else f"none of {counted(len(wide), 'problem')}"
    )
    text = sentence(
        f"at a tolerance of {number(float(tight['rtol'].iloc[0]), 1)} the adjoint's error is more than {MARGIN:g} times "
        f"back-propagation's on {where}"
    )
    lost = failures(data, table, ["problem", "arm"], "left out")
    return f"{text} Black: error equal to the tolerance; errors above {WORST:g} are drawn there. dopri5, float64, against closed forms or an oracle. {lost}"


def alt(data: FigureData) -> str:
    return (
        f"Log-log panels for {listing(map(data.label, in_order(_table(data), 'problem')))}: error of the gradient "
        "against the tolerance, a line for each arm, with the line where both are equal."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty or "gradient_error" not in table:
        raise NothingToShow("no gradient was measured")
    return table
