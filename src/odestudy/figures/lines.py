"""Lines of a summary against any numeric column, with the interval over seeds as a band."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from odestudy.figures.style import looks


def draw_line(
    axes: Axes, rows: pd.DataFrame, x: str, column: str, look: dict[str, Any], *, positive: bool = True
) -> None:
    """One series; with `positive`, what a logarithmic axis cannot show is left out."""
    if column not in rows:  # no run of this tier wrote it
        return
    rows = rows.dropna(subset=[column]).sort_values(x, kind="stable")
    if positive:
        rows = rows[rows[column] > 0]
    axes.plot(rows[x], rows[column], **look)
    ends = (f"{column}_low", f"{column}_high")
    if set(ends) <= set(rows):
        band = rows.dropna(subset=list(ends))
        if positive:
            band = band[band[ends[0]] > 0]
        axes.fill_between(band[x], band[ends[0]], band[ends[1]], color=look["color"], alpha=0.15, linewidth=0)


def line_handles(styles: dict[str, dict[str, Any]]) -> list[Line2D]:
    """The legend's entries."""
    return [Line2D([], [], **look) for look in styles.values()]


def method_looks(methods: list[str]) -> dict[str, dict[str, Any]]:
    """A look for each solver's name, with the name as a label."""
    return {m: look | {"label": method_name(m)} for m, look in looks(methods).items()}


def method_name(method: str) -> str:
    """A solver's name as people read it."""
    return method.replace("_", " ")


def log_ticks_of_two(axes: Axes, values: Any, most: int = 6) -> None:
    """A logarithmic x axis with ticks at powers of two that were measured, written as fractions below one."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log", base=2)
    ticks = sorted(set(values))
    every = -(-len(ticks) // most)
    axes.xaxis.set_major_locator(FixedLocator(ticks[::-1][::every]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"1/{round(1 / v)}" if v < 1 else f"{v:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
