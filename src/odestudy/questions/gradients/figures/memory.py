"""Memory and time of one gradient against solver steps and against observation times."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis, ticks_at
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import in_order, listing, number, sentence

SHOWS = {
    "title": "Memory of one gradient",
    "tables": ["gradients_cost", "gradients_scaling"],
}
TABLE, FITS = "gradients_cost", "gradients_scaling"
COLUMNS = ("saved_mib", "peak_mib", "wall_s")
TITLES = {"saved_mib": "kept for backward", "peak_mib": "growth of the peak", "wall_s": "time"}
VARIED = {"steps": "solver steps", "observations": "observation times"}


def draw(data: FigureData) -> Figure:
    table = _table(data)
    styles = data.looks(in_order(table, "arm"), "arm")
    figure, grid = canvas(2, len(COLUMNS), height=2.3, sharey="col")
    for row, varied in zip(grid, VARIED, strict=True):
        mine = table[table["varied"] == varied]
        for axes, column in zip(row, COLUMNS, strict=True):
            for arm, style in styles.items():
                draw_line(axes, mine[mine["arm"] == arm], "n", column, style | {"markersize": 3.5})
            axes.set_xscale("log")
            ticks_at(axes, sorted(set(mine["n"]))[::3])
            axes.set_xlabel(VARIED[varied])
            if column == "saved_mib":
                _exponents(axes, data.table(FITS), mine, varied, styles)
    for axes, column in zip(grid[0], COLUMNS, strict=True):
        log_axis(axes, "y")
        axes.set_title(TITLES[column])
    for row in grid:
        for axes, column in zip(row, COLUMNS, strict=True):
            axes.set_ylabel(data.columns[column]["unit"])
    legend_below(figure, line_handles(styles), 3)
    return figure


def _exponents(
    axes: Axes, fits: pd.DataFrame, table: pd.DataFrame, varied: str, styles: dict[str, dict[str, Any]]
) -> None:
    """The fitted exponents at the ends of the lines, for the arms that the caption names."""
    axes.set_xlim(right=2.6 * table["n"].max())
    ends: list[float] = []
    for arm in [a for a in styles if a in LISTED]:
        fit = fits[(fits["arm"] == arm) & (fits["varied"] == varied) & (fits["measure"] == "saved_mib")]
        mine = table[table["arm"] == arm].sort_values("n")
        if fit.empty or mine.empty or any(0.6 < mine["saved_mib"].iloc[-1] / end < 1.7 for end in ends):
            continue
        ends.append(float(mine["saved_mib"].iloc[-1]))
        text = "const." if fit["growth_share"].iloc[0] < 0.05 else f"$N^{{{fit['exponent'].iloc[0]:.2f}}}$"
        axes.annotate(text, (mine["n"].iloc[-1], ends[-1]), (4, 0), textcoords="offset points", fontsize=7.5, va="center",
                      color=styles[arm]["color"])  # fmt: skip


def caption(data: FigureData) -> str:
    fits = data.table(FITS)
    said = []
    for varied, name in VARIED.items():
        mine = fits[(fits["varied"] == varied) & (fits["measure"] == "saved_mib")].dropna(subset=["exponent"])
        parts = [
            f"{data.label(str(r['arm']), 'arm')} {_growth(r)}"
            for _, r in mine.iterrows()
            if r["arm"] in LISTED
        ]
        if parts:
            said.append(f"against {name}, {', '.join(parts)}")
    text = sentence(f"what is kept for the backward pass, in the fit a + b Nᵅ: {'; '.join(said)}")
    return f"{text} Euler steps on a perceptron (reversible: reversible RK4); peaks are the growth of the process and carry noise; times are medians. Shown are {len(in_order(_table(data), 'arm'))} of {data.table(TABLE)['arm'].nunique()} ways, the table has all."


LISTED = ("backprop", "checkpointed", "reversible", "adjoint")
SHOWN = (*LISTED, "torchdiffeq_adjoint")  # the table has all; what is left out lies on one of these


def _growth(fit: pd.Series) -> str:
    if fit["growth_share"] < 0.05:
        return "constant"
    ends = [number(float(fit[c]), 3) for c in ("exponent", "exponent_low", "exponent_high")]
    return f"α = {ends[0]}" if ends[1] == ends[2] else f"α = {ends[0]} [{ends[1]}; {ends[2]}]"


def alt(data: FigureData) -> str:
    arms = listing(data.label(arm, "arm") for arm in in_order(_table(data), "arm"))
    return (
        f"Log-log panels with lines for {arms}: saved memory, peak and time, above against solver steps, below against "
        "observation times; fitted exponents stand at the ends of the lines of saved memory."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty or "saved_mib" not in table:
        raise NothingToShow("no cost was measured")
    return table[table["arm"].isin(SHOWN)]
