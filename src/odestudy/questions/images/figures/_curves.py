"""Curves over training: the mean with its interval as a band, or single seeds where there is none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from odestudy.analysis.selecting import is_ok
from odestudy.figures.base import FigureData
from odestudy.figures.words import failures


def draw_curve(
    axes: Axes, runs: pd.DataFrame, summary: pd.DataFrame, column: str, look: dict[str, Any]
) -> None:
    """One series against the epoch."""
    shown = summary.dropna(subset=[column]).sort_values("epoch")
    every = max(1, len(shown) // 8)
    axes.plot(shown["epoch"], shown[column], **look, markevery=every)
    band = shown.dropna(subset=[f"{column}_low", f"{column}_high"])
    if not band.empty:
        axes.fill_between(
            band["epoch"],
            band[f"{column}_low"],
            band[f"{column}_high"],
            color=look["color"],
            alpha=0.12,
            linewidth=0,
        )
        for end in ("low", "high"):
            edge = {
                "color": look["color"],
                "linestyle": look.get("linestyle", "-"),
                "linewidth": 0.6,
                "alpha": 0.7,
            }
            axes.plot(band["epoch"], band[f"{column}_{end}"], **edge)
    elif runs["seed"].nunique() > 1:
        for _, run in runs[is_ok(runs)].sort_values("epoch").groupby("seed"):
            axes.plot(run["epoch"], run[column], color=look["color"], linewidth=0.5, alpha=0.6)


def handles(looks: dict[str, dict[str, Any]]) -> list[Line2D]:
    """The legend's entries."""
    return [Line2D([], [], **look) for look in looks.values()]


def failed_runs(data: FigureData, arms: Iterable[str]) -> str:
    """A run that failed has no epochs; the table of runs, where the figure is given it, tells of it."""
    runs = data.tables.get("images_accuracy")
    if runs is None:
        return ""
    return failures(data, runs[runs["arm"].isin(list(arms))], ["dataset", "arm"], "without a curve")
