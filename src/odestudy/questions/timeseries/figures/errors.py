"""Errors of interpolation and extrapolation by arm and family of spirals, after all and after half of the training."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.dots import Dots, categories, draw_dots, failed_handle
from odestudy.figures.scales import log_axis
from odestudy.figures.style import BLACK, canvas, legend_below, look
from odestudy.figures.words import estimate, failures, in_order, listing, number, seeds_and_bars, sentence

SHOWS = {
    "title": "Errors on fresh spirals by arm",
    "tables": [
        "timeseries_released",
        "timeseries_accuracy",
        "timeseries_walkthrough",
        "timeseries_published",
    ],
}
SETTINGS = {
    "timeseries_released": "released code's spirals",
    "timeseries_accuracy": "random times",
    "timeseries_walkthrough": "walk-through's spirals",
}
COLUMNS = ["interpolation_rmse", "extrapolation_rmse"]


class Strip(NamedTuple):
    """One row of panels: a family of spirals at a number of observations."""

    table: str
    observed: int
    runs: pd.DataFrame
    means: pd.DataFrame
    halves: pd.DataFrame

    @property
    def title(self) -> str:
        return f"{SETTINGS[self.table]}, {self.observed} observations"


def strips(data: FigureData) -> list[Strip]:
    """The fewest observations of each family, which every tier has; arms of one kind under one name."""
    found = []
    for table in SETTINGS:
        runs, summary = (_named(data.table(name)) for name in (table, f"{table}_summary"))
        if len(runs):
            fewest = int(runs["observed"].min())
            runs, summary = (frame[frame["observed"] == fewest] for frame in (runs, summary))
            whole, half = (summary[summary["length"] == 1], summary[summary["length"] < 1])
            found.append(Strip(table, fewest, runs[runs["length"] == 1], whole, half))
    if not found:
        raise NothingToShow("no training run")
    return found


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(arm=frame["arm"].str.removesuffix("_wide")) if len(frame) else frame


def draw(data: FigureData) -> Figure:
    shown = strips(data)
    styles = data.looks(_arms(shown), "arm")
    figure, grid = canvas(len(shown), 2, height=0.75 + 0.27 * len(styles), sharey="row", sharex="col")
    star, stars, marked = look("published", markersize=9), _published(data), False
    for axes_of, strip in zip(grid, shown, strict=True):
        for axes, column in zip(axes_of, COLUMNS, strict=True):
            marked |= _panel(axes, strip, styles, column)
            categories(axes, [data.label(arm) for arm in styles])
        if strip.table == "timeseries_accuracy":
            for _, row in stars[stars["observed"] == strip.observed].iterrows():
                axes_of[1].plot(row[COLUMNS[1]], list(styles).index(row["arm"]), **star, zorder=6)
        axes_of[0].set_title(strip.title)
    for axes, column in zip(grid[-1], COLUMNS, strict=True):
        log_axis(axes, "x")
        axes.set_xlabel(data.axis(column))
    legend_below(figure, _handles(shown, star, bool(len(stars)), marked))
    return figure


def _arms(shown: list[Strip]) -> list[str]:
    """All arms, in the order of the family that has most of them."""
    of_strips = sorted((in_order(strip.runs, "arm") for strip in shown), key=len, reverse=True)
    return list(dict.fromkeys(arm for arms in of_strips for arm in arms))


def _panel(axes: Axes, strip: Strip, styles: dict[str, dict[str, Any]], column: str) -> bool:
    lines = []
    for i, (arm, style) in enumerate(styles.items()):
        runs, mean, half = (f[f["arm"] == arm] for f in (strip.runs, strip.means, strip.halves))
        lines.append(Dots(i - 0.1, runs, mean, style))
        if column in half:
            hollow = {"color": style["color"], "marker": style["marker"], "fillstyle": "none"}
            axes.plot(half[column], [i - 0.1] * len(half), **hollow, linestyle="none", alpha=0.8)
    return draw_dots(axes, lines, column, seeds_below=0.25, log=True)


def _handles(shown: list[Strip], star: dict[str, Any], stars: bool, marked: bool) -> list[Any]:
    handles: list[Any] = []
    if any(len(strip.halves) for strip in shown):
        point: dict[str, Any] = {"color": BLACK, "marker": "o", "linestyle": "none"}
        handles.append(Line2D([], [], **point, label="whole training"))
        handles.append(Line2D([], [], **point, fillstyle="none", label="half the training"))
    handles += [Line2D([], [], **star)] if stars else []
    return handles + ([failed_handle()] if marked else [])


def _published(data: FigureData) -> pd.DataFrame:
    """What others report: arm, observed, extrapolation_rmse."""
    table = data.table("timeseries_published")
    return table[table["whose"] != "this study"]


def caption(data: FigureData) -> str:
    shown = strips(data)
    said = [_said(data, strip) for strip in shown]
    text = " ".join(
        sentence(f"{strip.title}: {listing(parts)}") for strip, parts in zip(shown, said, strict=True)
    )
    stars = [
        f"{number(r[COLUMNS[1]], 4)} ({data.label(r['arm'])})"
        for _, r in _published(data).iterrows()
        if r["observed"] == min(strip.observed for strip in shown)
    ]
    if stars:
        text += f" Stars: published, {listing(stars)}."
    if any(len(in_order(strip.runs, "arm")) < len(_arms(shown)) for strip in shown):
        text += " Empty lines: not run there."
    runs, means = (pd.concat([getattr(s, name) for s in shown]) for name in ("runs", "means"))
    return f"RMSE against the noise-free spirals. {text} {seeds_and_bars(data, runs, means, COLUMNS)} {failures(data, runs, ['arm'])}"


def _said(data: FigureData, strip: Strip) -> list[str]:
    """Which arm has the smallest mean error inside the window and after it, and what a latent ODE has."""
    said = []
    for column, where in zip(COLUMNS, ("inside the window", "after it"), strict=True):
        known = strip.means.dropna(subset=[column]).sort_values(column)
        if len(known):
            best = known.iloc[0]
            said.append(
                f"the smallest error {where} is {estimate(data, best, column)} ({data.label(best['arm'])})"
            )
    return said or ["no run ended well"]


def alt(data: FigureData) -> str:
    shown = strips(data)
    arms = listing(data.label(arm) for arm in _arms(shown))
    return (
        f"Dot plots with logarithmic axes, a row each for {listing(strip.title for strip in shown)}; left the error "
        f"inside the observed window, right after it; from top to bottom {arms}; hollow markers show half the training, "
        "stars what was published."
    )
