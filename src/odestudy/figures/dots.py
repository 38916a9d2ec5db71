"""Dot plots: one line for each series, values run to the right, failed runs stand at the right edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from odestudy.analysis.selecting import is_ok
from odestudy.figures.style import FAINT, points_with_interval


@dataclass(frozen=True)
class Dots:
    """One line of a dot plot: its height, the single runs, their summary (at most one row) and the look."""

    at: float
    runs: pd.DataFrame
    summary: pd.DataFrame
    look: dict[str, Any]


def draw_dots(axes: Axes, lines: list[Dots], column: str, *, seeds_below: float, log: bool = False) -> bool:
    """Mean with interval, the seeds as faint points `seeds_below` it; True where a failed run was marked."""
    marked = False
    for line in lines:
        look = {k: v for k, v in line.look.items() if k not in ("label", "linestyle")}
        done = line.runs.loc[is_ok(line.runs), column].dropna()
        values = done[done > 0] if log else done
        if len(values) > 1:
            faint = look | {"markersize": 3.2, "alpha": FAINT, "markeredgewidth": 0, "linestyle": "none"}
            if look["marker"] in ("x", "+") or look.get("fillstyle", "full") != "full":
                faint["markeredgewidth"] = 0.8
            axes.plot(values, [line.at + seeds_below] * len(values), **faint)
        shown = line.summary.dropna(subset=[column])
        if not shown.empty:
            interval = [shown[f"{column}{end}"] for end in ("", "_low", "_high")]
            points_with_interval(axes, [line.at] * len(shown), *interval, horizontal=True, **look)
        if len(done) < len(line.runs):
            _cross(axes, line.at, look["color"])
            marked = True
    return marked


def _cross(axes: Axes, at: float, color: str) -> None:
    axes.plot(
        [1.0], [at], marker="X", markersize=7, color=color, markeredgecolor="black", markeredgewidth=0.6,
        transform=axes.get_yaxis_transform(), clip_on=False, zorder=5, linestyle="none",
    )  # fmt: skip


def failed_handle() -> Line2D:
    """The legend's entry for failed runs."""
    return Line2D([], [], marker="X", markersize=7, color="white", markeredgecolor="black", linestyle="none",
                  label="failed run")  # fmt: skip


def categories(axes: Axes, labels: list[str]) -> None:
    """Names of the lines, the first on top, with a light rule between them."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    for edge in range(1, len(labels)):
        axes.axhline(edge - 0.5, color="#dddddd", linewidth=0.6, zorder=0)
