"""Flows on mixtures of Gaussians against the dimension: distance from the truth, integral, work."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis, ticks_at
from odestudy.figures.style import GREY, canvas, legend_below, points_with_interval
from odestudy.figures.words import estimate, failures, in_order, seeds_and_bars

SHOWS = {
    "title": "Mixtures of Gaussians in several dimensions",
    "tables": ["density_time"],
}

TABLE = "density_time"
TITLES = {"excess_nat": "NLL − entropy (nat)", "mass": "integral", "nfe": "NFE of dopri5"}
PREFIX = "mixture"
APART = 1.06  # a factor, from model to model


def draw(data: FigureData) -> Figure:
    summary, table = _rows(data, f"{TABLE}_summary"), _rows(data, TABLE)
    styles = data.looks(in_order(summary, "model"), "model")
    dimensions = sorted(set(summary["d"]))
    # One point is no curve: a measure that is known of a single dimension has no panel.
    known = {column: summary.dropna(subset=[column])["d"].nunique() for column in TITLES if column in summary}
    titles = {column: title for column, title in TITLES.items() if known.get(column, 0) > 1}
    titles = titles or {"excess_nat": TITLES["excess_nat"]}
    line = {} if len(dimensions) > 2 else {"linestyle": "none"}  # nothing is known between two points
    figure, grid = canvas(1, len(titles), height=2.6)
    for axes, (column, title) in zip(grid[0], titles.items(), strict=True):
        for place, (model, style) in enumerate(styles.items()):
            mine, runs = (_beside(rows[rows["model"] == model], place) for rows in (summary, table))
            if line:
                _points(axes, mine, column, style | line | {"markersize": 5})
            else:
                draw_line(axes, mine, "d", column, style | {"markersize": 4})
            if column == "mass":
                axes.vlines(
                    runs["d"], runs["mass"] - 2 * runs["mass_error"], runs["mass"] + 2 * runs["mass_error"],
                    color=style["color"], alpha=0.35, linewidth=1.5,
                )  # fmt: skip
        axes.set_xscale("log")
        ticks_at(axes, dimensions)
        axes.set_xlim(dimensions[0] / 1.3, dimensions[-1] * APART ** len(styles) * 1.2)
        axes.set(title=title, xlabel=data.axis("d"))
        if column == "mass":
            axes.axhline(1.0, color=GREY, linewidth=0.8, zorder=0)
    log_axis(grid[0, 0], "y")
    legend_below(figure, line_handles({model: style | line for model, style in styles.items()}), 3)
    return figure


def _beside(rows: pd.DataFrame, place: int) -> pd.DataFrame:
    """The rows of one model, moved a little, so that models stand beside each other at one dimension."""
    return rows.assign(d=rows["d"] * APART**place)


def _points(axes: Axes, rows: pd.DataFrame, column: str, style: dict[str, Any]) -> None:
    rows = rows.dropna(subset=[column])
    low, high = (rows.get(f"{column}_{end}", rows[column]) for end in ("low", "high"))
    look = {k: v for k, v in style.items() if k not in ("marker", "markersize", "label")}
    points_with_interval(
        axes,
        rows["d"],
        rows[column],
        low,
        high,
        marker=style["marker"],
        markersize=style["markersize"],
        **look,
    )


def caption(data: FigureData) -> str:
    summary, table = _rows(data, f"{TABLE}_summary"), _rows(data, TABLE)
    flow = summary[summary["model"] == "cnf"].dropna(subset=["excess_nat"]).sort_values("d")
    text = _trend(data, flow) if len(flow) else "No flow could be judged."
    held = table[table["model"] == "cnf"]["certified"].astype(str).eq("True")
    band = summary["d"].nunique() > 2
    bars = seeds_and_bars(data, table, summary, ["excess_nat"], band=band)
    bars = bars.replace("; small points: single seeds", "")  # which the vertical bars would hide
    return (
        f"{text} The targets are Gaussian mixtures, so the one beside the flow has their true form. The certificate holds for {int(held.sum())} of {len(held)} flows. {bars} Pale bars: two standard "
        f"errors of the integral by importance sampling, seed by seed. {failures(data, table, ['target', 'model'])}"
    )


def _trend(data: FigureData, flow: pd.DataFrame) -> str:
    """Where the flow is nearest to the truth and where it is furthest from it."""
    ends = flow.sort_values("excess_nat", kind="stable").iloc[[0, -1]]
    near, far = (f"{estimate(data, row, 'excess_nat')} at d = {row['d']:.0f}" for _, row in ends.iterrows())
    if len(flow) == 1:
        return f"The NLL of the flow is above the true entropy by {near}."
    grows = "The further, the higher the dimension: t" if flow["excess_nat"].is_monotonic_increasing else "T"
    return f"{grows}he NLL of the flow is above the true entropy by {near} and by {far}."


def alt(data: FigureData) -> str:
    return (
        "Plots against the dimension: the distance from the truth, the integral of the density, and where they were "
        "counted the evaluations of an adaptive solver."
    )


def _rows(data: FigureData, name: str) -> pd.DataFrame:
    table = data.table(name)
    rows = table[table["target"].astype(str).str.startswith(PREFIX)] if len(table) else table
    if rows.empty:
        raise NothingToShow("no mixture was fitted")
    return rows
