"""Error against the fixed step of every method, with the fitted orders; beside it what a hundred steps look like."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles, method_looks, method_name
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import in_order, listing, number, sentence

SHOWS = {
    "title": "Error against step",
    "tables": ["gradients_convergence", "gradients_orders"],
    "arrays": ["order"],
}
TABLE, FITS = "gradients_convergence", "gradients_orders"
PROBLEMS = {"exponential": "$y' = y$", "pendulum": "pendulum"}
# Of two dozen methods one of each order that is far from the others, and an implicit one; the table has all.
SHOWN = ("euler", "midpoint", "rk4", "dopri8", "kvaerno5")


def draw(data: FigureData) -> Figure:
    table, fits = _table(data), data.table(FITS)
    problems, styles = in_order(table, "problem"), method_looks(_shown(table))
    figure, grid = canvas(1, len(problems) + 1, height=4.4, width_ratios=[*[1.25] * len(problems), 1])
    for axes, problem in zip(grid[0], problems, strict=False):
        mine = table[table["problem"] == problem]
        for method, style in styles.items():
            rows = mine[(mine["method"] == method) & (mine["error"] < 1e3)]
            draw_line(axes, rows, "step", "error", style | {"markersize": 3})
            _order(axes, rows, fits[(fits["problem"] == problem) & (fits["method"] == method)], style)
        axes.set_xscale("log")
        axes.set_xlim(left=mine["step"].min() / 3)
        log_axis(axes, "x")
        log_axis(axes, "y")
        axes.set(title=PROBLEMS.get(problem, problem), xlabel=data.axis("step"))
    grid[0][0].set_ylabel(data.axis("error"))
    _solutions(data, table, grid[0][-1], styles)
    legend_below(figure, [*line_handles(styles), Line2D([], [], color="black", label="exact")], 4)
    return figure


def _order(axes: Axes, rows: pd.DataFrame, fit: pd.DataFrame, style: dict[str, Any]) -> None:
    """The fitted order, where the finest error stands; one label for methods that lie on each other."""
    if fit.empty or "order" not in fit or fit["order"].isna().all() or rows.empty:
        return
    at = rows.sort_values("step").iloc[0]
    others = [text.get_position() for text in axes.texts]
    taken = [xy for xy in others if 0.2 < xy[0] / at["step"] < 5 and 0.1 < xy[1] / at["error"] < 10]
    if not taken:
        axes.text(at["step"], at["error"], f"{number(float(fit['order'].iloc[0]))} ", fontsize=7, ha="right", va="center",
                  color=style["color"])  # fmt: skip


def _solutions(data: FigureData, table: pd.DataFrame, axes: Axes, styles: dict[str, dict[str, Any]]) -> None:
    arrays = data.arrays(str(table["job"].iloc[0]))
    axes.plot(arrays["t"], 2 * np.exp(arrays["t"]), color="black", linewidth=0.9)
    for method in styles:
        if method in arrays:
            axes.plot(arrays["t"], arrays[method], **styles[method] | {"markevery": 10, "markersize": 4})
    axes.set(title=f"{len(arrays['t']) - 1} steps on $y' = y$", xlabel="t", ylabel="y / 1000")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value / 1000:g}")


def caption(data: FigureData) -> str:
    fits = data.table(FITS)
    known = fits.dropna(subset=["order"])
    worst, most = known.sort_values("order_gap", kind="stable").iloc[0], int(known["points"].max())
    methods, shown = in_order(_table(data), "method"), _shown(_table(data))
    text = sentence(
        f"of {len(known)} fitted orders the largest shortfall from the nominal order is "
        f"{number(max(0.0, -float(worst['order_gap'])))} ({method_name(worst['method'])}, order {worst['nominal']:.0f})"
    )
    return (
        f"{text} Shown are {len(shown)} of {len(methods)} methods, the table has all. Numbers at the lines: fitted orders over the "
        f"finest {most} steps that rounding does not touch. Right: what {_steps(data)} steps look like."
    )


def _shown(table: pd.DataFrame) -> list[str]:
    methods = in_order(table, "method")
    return [method for method in methods if method in SHOWN] or methods


def _steps(data: FigureData) -> int:
    return len(data.arrays(str(_table(data)["job"].iloc[0]))["t"]) - 1


def alt(data: FigureData) -> str:
    methods = listing(method_name(m) for m in _shown(_table(data)))
    return (
        f"Log-log lines of error against step for {methods}, the steeper the higher the order; right the solution "
        "of y' = y by some of them beside the exact one."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty or "error" not in table:
        raise NothingToShow("no method was refined")
    return table
