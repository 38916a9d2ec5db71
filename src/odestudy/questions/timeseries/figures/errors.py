"""Errors of interpolation and extrapolation by arm, with the published ones beside them."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.dots import Dots, categories, draw_dots, failed_handle
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas, legend_below, look
from odestudy.figures.words import (
    estimate,
    failures,
    in_order,
    listing,
    number,
    seeds_and_bars,
    sentence,
)

SHOWS = {
    "title": "Errors on fresh spirals by arm",
    "tables": ["timeseries_accuracy", "timeseries_published"],
}
TABLE = "timeseries_accuracy"
COLUMNS = ["interpolation_rmse", "extrapolation_rmse"]


def draw(data: FigureData) -> Figure:
    table, summary = _table(data), data.table(f"{TABLE}_summary")
    observed, styles = in_order(table, "observed"), data.looks(in_order(table, "arm"), "arm")
    figure, grid = canvas(len(observed), 2, height=1.1 + 0.27 * len(styles), sharey="row", sharex="col")
    stars, star = _published(data), look("published", markersize=9)
    marked = False
    for strip, count in zip(grid, observed, strict=True):
        runs, means = (frame[frame["observed"] == count] for frame in (table, summary))
        lines = [
            Dots(i - 0.1, runs[runs["arm"] == arm], means[means["arm"] == arm], style)
            for i, (arm, style) in enumerate(styles.items())
        ]
        for axes, column in zip(strip, COLUMNS, strict=True):
            marked |= draw_dots(axes, lines, column, seeds_below=0.25, log=True)
            categories(axes, [data.label(arm) for arm in styles])
        for _, row in stars[stars["observed"] == count].iterrows():
            strip[1].plot(row[COLUMNS[1]], list(styles).index(row["arm"]), **star, zorder=6)
        strip[0].set_title(f"{int(count)} observations")
    for axes, column in zip(grid[-1], COLUMNS, strict=True):
        log_axis(axes, "x")
        axes.set_xlabel(data.axis(column))
    handles: list[Any] = [Line2D([], [], **star)] if len(stars) else []
    legend_below(figure, handles + ([failed_handle()] if marked else []))
    return figure


def _published(data: FigureData) -> pd.DataFrame:
    """What others report: arm, observed, extrapolation_rmse."""
    table = data.table("timeseries_published")
    return table[table["whose"] != "this study"]


def caption(data: FigureData) -> str:
    table, summary = _table(data), data.table(f"{TABLE}_summary")
    said = []
    for count in in_order(summary, "observed"):
        rows = summary[summary["observed"] == count]
        arms = [
            f"{data.label(r['arm'])} {estimate(data, r, COLUMNS[0])} inside, {estimate(data, r, COLUMNS[1])} after"
            for _, r in rows.iterrows()
        ]
        said.append(f"{int(count)} observations: {'; '.join(arms)}")
    text = f"{_smallest(data, summary)} " + sentence(
        f"RMSE against the noise-free spirals, {'. '.join(said)}"
    )
    stars = [
        f"{number(r[COLUMNS[1]], 4)} ({data.label(r['arm'])}, {int(r['observed'])})"
        for _, r in _published(data).iterrows()
    ]
    if stars:
        text += f" Stars: published, {listing(stars)}."
    return f"{text} {seeds_and_bars(data, table, summary, COLUMNS)} {failures(data, table, ['arm'])}"


def _smallest(data: FigureData, summary: pd.DataFrame) -> str:
    """Which arm has the smallest mean error, inside the window and after it, for each number of observations."""
    said = []
    for count, rows in summary.groupby("observed", sort=False):
        inside, after = (rows.dropna(subset=[c]).sort_values(c)["arm"].head(1).tolist() for c in COLUMNS)
        if inside and after:
            where = (
                f"that of {data.label(inside[0])} inside the window and of {data.label(after[0])} after it"
            )
            said.append(f"{where} ({count:g} observations)")
    return sentence(f"the smallest mean error is {listing(said)}") if said else ""


def alt(data: FigureData) -> str:
    arms = listing(map(data.label, in_order(_table(data), "arm")))
    return (
        "Two dot plots with logarithmic axes, left the error inside the observed window, right after it; from top "
        f"to bottom {arms}; stars mark what was published."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("no training run")
    return table
