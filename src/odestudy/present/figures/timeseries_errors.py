"""Errors of interpolation and extrapolation by arm, with the published ones beside them."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.present.figures.base import FigureData, NothingToShow
from odestudy.present.figures.dots import Dots, categories, draw_dots, failed_handle
from odestudy.present.figures.scales import log_axis
from odestudy.present.figures.style import canvas, legend_below, look, looks
from odestudy.present.figures.words import (
    estimate,
    failures,
    in_order,
    listing,
    number,
    seeds_and_bars,
    sentence,
)

TABLE = "timeseries_accuracy"
COLUMNS = ["interpolation_rmse", "extrapolation_rmse"]


def draw(data: FigureData) -> Figure:
    table, summary = _table(data), data.table(f"{TABLE}_summary")
    observed, styles = in_order(table, "observed"), looks(in_order(table, "arm"))
    figure, grid = canvas(len(observed), 2, height=1.1 + 0.27 * len(styles), sharey="row", sharex="col")
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
        _published(strip[1], means, list(styles))
        strip[0].set_title(f"{int(count)} observations")
    for axes, column in zip(grid[-1], COLUMNS, strict=True):
        log_axis(axes, "x")
        axes.set_xlabel(data.axis(column))
    star: dict[str, Any] = look("published")
    handles: list[Any] = [Line2D([], [], **star, markersize=9)] if "published_rmse" in table else []
    legend_below(figure, handles + ([failed_handle()] if marked else []))
    return figure


def _published(axes: Axes, means: pd.DataFrame, arms: list[str]) -> None:
    if "published_rmse" not in means:
        return
    for _, row in means.dropna(subset=["published_rmse"]).iterrows():
        axes.plot(row["published_rmse"], arms.index(row["arm"]), **look("published", markersize=9), zorder=6)


def caption(data: FigureData) -> str:
    table, summary = _table(data), data.table(f"{TABLE}_summary")
    said = []
    for count in in_order(summary, "observed"):
        rows = summary[summary["observed"] == count]
        arms = [
            f"{data.label(r['arm'])} {estimate(data, r, COLUMNS[0])} inside, {estimate(data, r, COLUMNS[1])} behind"
            for _, r in rows.iterrows()
        ]
        said.append(f"{int(count)} observations: {'; '.join(arms)}")
    text = sentence(f"RMSE against the noise-free spirals, {'. '.join(said)}")
    known = summary.dropna(subset=["published_rmse"])
    if len(known):
        stars = [f"{number(r['published_rmse'], 4)} ({data.label(r['arm'])})" for _, r in known.iterrows()]
        text += (
            f" Stars: published, {listing(stars)}; whether against noisy or noise-free points is not said."
        )
    return f"{text} {seeds_and_bars(data, table, summary, COLUMNS)} {failures(data, table, ['arm'])}"


def alt(data: FigureData) -> str:
    arms = listing(map(data.label, in_order(_table(data), "arm")))
    return (
        "Two dot plots with logarithmic axes, left the error inside the observed window, right behind it; from top "
        f"to bottom {arms}; stars mark what was published."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("no training run")
    return table
