"""The gradient that reaches a fast decay rate, by method, beside the exact one."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles, method_name
from odestudy.figures.scales import log_axis
from odestudy.figures.style import BLUE, PURPLE, canvas, legend_below, look, looks
from odestudy.figures.words import failures, in_order, listing, number, sentence

SHOWS = {
    "title": "The gradient of a fast mode",
    "tables": ["dynamics_fast_modes"],
}

TABLE = "dynamics_fast_modes"
OWN = {
    "kvaerno5": {"color": BLUE},
    "rodas5p": {"color": PURPLE},
}  # the order's colour, which all share, tells nothing here
ADAPTIVE = ("dopri5", "kvaerno5", "rodas5p")
ALIKE, DRAWN = "rodas5p", "kvaerno5"  # both L-stable with adaptive steps: one of them is drawn


def draw(data: FigureData) -> Figure:
    table = _table(data)
    methods = _drawn(table)
    styles = {m: look | {"label": _name(data, m)} | OWN.get(m, {}) for m, look in looks(methods).items()}
    figure, grid = canvas(1, 3, height=2.5)
    exact = table[table["method"] == methods[0]]
    draw_line(grid[0, 0], exact, "k", "exact_gradient", look("truth", linewidth=2.5, alpha=0.5))
    for axes, column in zip(grid[0], ("computed_gradient", "gradient_error", "nfe_forward"), strict=True):
        for method, style in styles.items():
            draw_line(axes, table[table["method"] == method], "k", column, style | {"markersize": 4})
        axes.set_xscale("log")
        log_axis(axes, "y")
        axes.set_xlabel("fast rate over slow rate")
    for axes, name in zip(grid[0], ("gradient of the fast rate", "its relative error", "NFE"), strict=True):
        axes.set_ylabel(name)
    legend_below(
        figure,
        [Line2D([], [], **look("truth", linewidth=2.5, alpha=0.5, label="exact")), *line_handles(styles)],
    )
    return figure


def caption(data: FigureData) -> str:
    table = _table(data)
    first = table[table["method"] == in_order(table, "method")[0]].sort_values("k")
    low, high = first.iloc[0], first.iloc[-1]
    text = sentence(
        f"the exact gradient goes from {number(low['exact_gradient'])} at k = {low['k']:g} to "
        f"{number(high['exact_gradient'])} at k = {high['k']:g}; the data are at times of the slow mode"
    )
    done = table.dropna(subset=["computed_gradient"])
    worst = done[done["k"] == done["k"].max()]
    said = [f"{_name(data, r['method'])} {number(r['computed_gradient'])}" for _, r in worst.iterrows()]
    text += f" Computed there: {listing(said)}." if said else ""
    steps = done[~done["method"].isin(ADAPTIVE)].groupby("method", sort=False)["nfe_forward"].max()
    few = [f"{_name(data, str(m))} {nfe:.0f}" for m, nfe in steps.items()]
    text += (
        f" Methods of fixed step take few evaluations, and are not held to a tolerance: {listing(few)}."
        if few
        else ""
    )
    if ALIKE not in _drawn(table) and ALIKE in in_order(table, "method"):
        text += f" {_name(data, ALIKE)}, which is L-stable with adaptive steps as {_name(data, DRAWN)} is, is not drawn."
    return f"{text} One model, no noise. {failures(data, table, ['method'])}"


def _drawn(table: pd.DataFrame) -> list[str]:
    methods = in_order(table, "method")
    return [m for m in methods if m != ALIKE or DRAWN not in methods]


def _name(data: FigureData, method: str) -> str:
    return method_name(data.labels.of("method", method))


def alt(data: FigureData) -> str:
    _table(data)
    return (
        "Three log-log plots against the ratio of the decay rates: the gradient of the fast rate, "
        "its relative error and the evaluations, a line for each method that is drawn."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty or "computed_gradient" not in table:
        raise NothingToShow("no gradient of a fast rate was computed")
    return table
