"""The error of a solve there and back, against eigenvalue times horizon, with theory's curves."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import line_handles
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import in_order, listing, number, sentence

SHOWS = {
    "title": "Forward and back in time",
    "tables": ["gradients_reverse"],
}
TABLE = "gradients_reverse"
PRECISION = "float64"
LEFT_OUT = "midpoint"  # between Euler and RK4; the table has it


def draw(data: FigureData) -> Figure:
    table = _table(data)
    styles = data.looks(in_order(table, "solver"), "solver")
    adaptive = {s for s in styles if s.startswith("dopri5_")}
    figure, grid = canvas(1, 2, height=3.1, sharey=True)
    panels = zip(grid[0], (set(styles) - adaptive, adaptive), ("100 fixed steps", "adaptive"), strict=True)
    for axes, shown, title in panels:
        for solver, style in styles.items():
            rows = table[table["solver"] == solver].sort_values("product")
            if solver in shown:
                axes.plot(rows["product"], rows["theory"], color=style["color"], linewidth=1)
                axes.plot(
                    rows["product"], rows["round_trip"], **style | {"linestyle": "none", "markersize": 4.5}
                )
        axes.axhline(1, color="black", linewidth=0.8, linestyle=":")
        axes.set(title=title, xlabel=data.axis("product"))
    log_axis(grid[0][0], "y")
    grid[0][0].set_ylabel(data.axis("round_trip"))
    markers = {name: style | {"linestyle": "none"} for name, style in styles.items()}
    legend_below(
        figure,
        [*line_handles(markers), Line2D([], [], color="black", label="lines: theory")],
        4,
    )
    return figure


def caption(data: FigureData) -> str:
    table = _table(data)
    said = []
    for solver in in_order(table, "solver"):
        mine = table[(table["solver"] == solver) & (table["product"] < 0)].sort_values(
            "product", ascending=False
        )
        lost = mine[mine["round_trip"] > 1]
        where = f"from {number(float(lost['product'].iloc[0]))} on" if len(lost) else "nowhere in the range"
        said.append(f"{data.label(solver, 'solver')} {where}")
    text = sentence(f"the state is lost, an error above its own size (dotted), with {'; '.join(said)}")
    return (
        f"{text} Fixed steps: (R(z)R(−z))ᴺ − 1 with the method's stability function R, and amplified rounding; adaptive: "
        "the tolerance times the growth on the way back, a bound where the mode decays. A linear problem with a slow mode "
        "beside the one under study, float64."
    )


def alt(data: FigureData) -> str:
    solvers = listing(data.label(solver, "solver") for solver in in_order(_table(data), "solver"))
    return (
        f"Error of the round trip on a logarithmic axis against eigenvalue times horizon for {solvers}, "
        "markers as measured and lines as theory has it."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty or "round_trip" not in table:
        raise NothingToShow("no round trip was measured")
    mine = (table["precision"] == PRECISION) & table["round_trip"].notna()
    return table[mine & (table["solver"] != LEFT_OUT)]
