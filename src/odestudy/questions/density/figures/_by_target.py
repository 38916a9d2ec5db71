"""Dot plots of several models by target, which two figures share."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData
from odestudy.figures.dots import Dots, categories, draw_dots, failed_handle
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import in_order


def draw_by_target(
    data: FigureData, table: pd.DataFrame, summary: pd.DataFrame, columns: list[str]
) -> Figure:
    """A panel a column, a band a target, a marker a model: mean with interval, the seeds as faint points."""
    targets, styles = in_order(table, "target"), data.looks(in_order(table, "model"), "model")
    height = 0.9 + len(targets) * (0.2 + 0.12 * len(styles))
    figure, grid = canvas(1, len(columns), height=height, sharey=True)
    lines = _lines(table, summary, targets, styles)
    marked = [
        draw_dots(axes, lines, column, seeds_below=0.05, log=True)
        for axes, column in zip(grid[0], columns, strict=True)
    ]
    for axes, column in zip(grid[0], columns, strict=True):
        log_axis(axes, "x")
        axes.set_xlabel(data.axis(column))
        categories(axes, [data.label(target) for target in targets])
    handles: list[Any] = [Line2D([], [], **style | {"linestyle": "none"}) for style in styles.values()]
    legend_below(figure, handles + ([failed_handle()] if any(marked) else []), columns=3)
    return figure


def _lines(
    table: pd.DataFrame, summary: pd.DataFrame, targets: list[str], styles: dict[str, dict[str, Any]]
) -> list[Dots]:
    lines = []
    for i, target in enumerate(targets):
        for j, (name, style) in enumerate(styles.items()):
            at = i + ((j + 0.5) / len(styles) - 0.5) * 0.8
            runs, mean = (f[(f["target"] == target) & (f["model"] == name)] for f in (table, summary))
            lines.append(Dots(at, runs, mean, style))
    return lines


def nearest(summary: pd.DataFrame, column: str) -> pd.Series:
    """For each target the model of the least mean."""
    known = summary.dropna(subset=[column])
    return known.loc[known.groupby("target", sort=False)[column].idxmin(), "model"]


def beyond_the_axis(summary: pd.DataFrame, columns: list[str]) -> str:
    """How many intervals a logarithmic axis cannot show; nothing where it shows all."""
    beyond = int((summary[[f"{column}_low" for column in columns]] <= 0).to_numpy().sum())
    if not beyond:
        return ""
    what = "of the intervals reaches" if beyond == 1 else "of the intervals reach"
    where = "leaves" if beyond == 1 else "leave"
    return f"{beyond} {what} zero or below and {where} the logarithmic axis at its left."
