"""Errors of the gated system against noise, number of points, number of trajectories, and spread of times."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis, ticks_at
from odestudy.figures.style import canvas, legend_below, points_with_interval
from odestudy.figures.words import estimate, failures, in_order, listing, seeds_and_bars, sentence

SHOWS = {
    "title": "Error against noise, points, trajectories and times",
    "tables": ["dynamics_data"],
}

TABLE = "dynamics_data"
COLUMNS = ["field_error_pct", "extrapolation_nrmse", "heldout_nrmse"]
SWEEPS = ["noise_pct", "points", "trajectories", "times"]
# An error beyond says that a forecast is lost; drawn as it is, it would make flat lines of all others.
WIDEST = {"field_error_pct": 1000.0, "extrapolation_nrmse": 10.0, "heldout_nrmse": 10.0}
NAMES = {
    "noise_pct": "noise (% of the spread)",
    "points": "points",
    "trajectories": "trajectories",
    "times": "times",
}


def draw(data: FigureData) -> Figure:
    summary = _summary(data)
    sweeps = [s for s in SWEEPS if summary[s].nunique() > 1] or ["noise_pct"]
    styles = data.looks(in_order(summary, "arm"), "arm")
    figure, grid = canvas(len(COLUMNS), len(sweeps), height=1.75, sharex="col", sharey="row")
    for row, column in zip(grid, COLUMNS, strict=True):
        for axes, sweep in zip(row, sweeps, strict=True):
            rows = _along(summary, sweep)
            for arm, style in styles.items():
                mine = rows[rows["arm"] == arm].dropna(subset=[column])
                if not mine.empty:
                    _line(axes, _clipped(mine, column), sweep, column, style | {"markersize": 4})
        log_axis(row[0], "y")
        row[0].set_ylabel(_short(data.axis(column)), fontsize=8)
    for axes, sweep in zip(grid[-1], sweeps, strict=True):
        _ticks(axes, _along(summary, sweep), sweep)
        axes.set_xlabel(NAMES[sweep])
    legend_below(figure, line_handles(styles), columns=3)
    return figure


def caption(data: FigureData) -> str:
    summary = _summary(data)
    rows = _along(summary, "noise_pct")
    said = []
    for arm in in_order(rows, "arm"):
        mine = rows[rows["arm"] == arm].sort_values("noise_pct")
        ends = [mine.iloc[i] for i in ((0, -1) if len(mine) > 1 else (0,))]
        parts = [f"{estimate(data, end, COLUMNS[0])} at {end['noise_pct']:g} %" for end in ends]
        said.append(f"{data.label(arm)} {' and '.join(parts)}")
    text = sentence(f"field error in the support, by noise: {listing(said)}")
    bars = seeds_and_bars(data, data.table(TABLE), summary, COLUMNS, band=True)
    lost = failures(data, data.table(TABLE), ["arm"], "left out of the means")
    usual = summary["noise_pct"].mode().iloc[0]
    text += f" In each column all else is as in the first one at {usual:g} % noise."
    beyond = [
        f"{limit:g} ({data.columns[c]['label']})"
        for c, limit in WIDEST.items()
        if (summary[[c, f"{c}_high"]] > limit).any(axis=None)
    ]
    text += f" What lies above {listing(beyond)} is drawn there." if beyond else ""
    return f"{text} {bars} {lost}"


def alt(data: FigureData) -> str:
    _summary(data)
    return (
        "A grid of plots, in columns what is varied (noise, points, trajectories, times), in rows the error of the "
        "field, of the trajectory beyond the horizon and from fresh initial states, a line for each method."
    )


def _summary(data: FigureData) -> pd.DataFrame:
    summary = data.table(f"{TABLE}_summary")
    if summary.empty:
        raise NothingToShow("nothing was varied")
    return summary


def _along(summary: pd.DataFrame, sweep: str) -> pd.DataFrame:
    """The rows in which everything but `sweep` has its most frequent value, that of the other sweeps."""
    for other in SWEEPS:
        if other != sweep:
            summary = summary[summary[other] == summary[other].mode().iloc[0]]
    return summary


def _clipped(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Values and ends of intervals brought back to the edge."""
    names = [column, f"{column}_low", f"{column}_high"]
    return rows.assign(**{name: rows[name].clip(upper=WIDEST[column]) for name in names})


def _line(axes: Axes, rows: pd.DataFrame, sweep: str, column: str, style: dict[str, Any]) -> None:
    if sweep == "times":
        at = [0 if t == "regular" else 1 for t in rows["times"]]
        interval = [rows[f"{column}{end}"] for end in ("", "_low", "_high")]
        points_with_interval(
            axes, at, *interval, **{k: v for k, v in style.items() if k not in ("label", "linestyle")}
        )
    else:
        draw_line(axes, rows, sweep, column, style)


def _ticks(axes: Axes, rows: pd.DataFrame, sweep: str) -> None:
    if sweep == "times":
        axes.set_xticks([0, 1], ["regular", "irregular"])
        axes.set_xlim(-0.5, 1.5)
    elif sweep == "noise_pct":
        axes.set_xticks(sorted(rows[sweep].unique()))
    else:
        axes.set_xscale("log")
        ticks_at(axes, set(rows[sweep]))


def _short(label: str) -> str:
    return label.replace(" from ", "\nfrom ").replace(" in ", "\nin ").replace(" beyond ", "\nbeyond ")
