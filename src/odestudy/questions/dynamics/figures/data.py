"""Error of the gated system against noise, number of points and of trajectories, in units of the true form's."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis, ticks_at
from odestudy.figures.style import GREY, canvas, legend_below
from odestudy.figures.words import estimate, failures, in_order, listing, seeds_and_bars, sentence

SHOWS = {
    "title": "Error in units of the true form's, against noise, points and trajectories",
    "tables": ["dynamics_data"],
}

TABLE = "dynamics_data"
COLUMN = "over_true_form"
TRUE_FORM = "true_form"  # the unit itself
UNIT: dict[str, Any] = {"color": GREY, "linewidth": 0.8}
SWEEPS = ["noise_pct", "points", "trajectories"]
NAMES = {
    "noise_pct": "noise (% of the spread)",
    "points": "points",
    "trajectories": "trajectories",
}


def draw(data: FigureData) -> Figure:
    summary = _summary(data)
    sweeps = [s for s in SWEEPS if summary[s].nunique() > 1] or ["noise_pct"]
    styles = data.looks(in_order(summary, "arm"), "arm")
    figure, grid = canvas(1, len(sweeps), height=2.6, sharey=True)
    for axes, sweep in zip(grid[0], sweeps, strict=True):
        rows = _along(summary, sweep)
        for arm, style in styles.items():
            draw_line(axes, rows[rows["arm"] == arm], sweep, COLUMN, style | {"markersize": 4})
        axes.set_xscale("log")
        ticks_at(axes, set(rows[sweep]))
        axes.set_xlabel(NAMES[sweep])
        axes.axhline(1, **UNIT)
    log_axis(grid[0, 0], "y")
    grid[0, 0].set_ylabel("field error over\nthat of the true form")
    unit = Line2D([], [], label=data.label(TRUE_FORM), **UNIT)
    legend_below(figure, [*line_handles(styles), unit], columns=4)
    return figure


def caption(data: FigureData) -> str:
    summary = _summary(data)
    rows = _along(summary, "noise_pct")
    said = []
    for arm in in_order(rows, "arm"):
        mine = rows[rows["arm"] == arm].sort_values("noise_pct")
        ends = [mine.iloc[i] for i in ((0, -1) if len(mine) > 1 else (0,))]
        parts = [f"{estimate(data, end, COLUMN)} at {end['noise_pct']:g} %" for end in ends]
        said.append(f"{data.label(arm)} {' and '.join(parts)}")
    text = sentence(
        f"error of the field where there are data, over that of least squares with the true form on the same data, by noise: {listing(said)}"
    )
    bars = seeds_and_bars(data, data.table(TABLE), summary, [COLUMN], band=True)
    lost = failures(data, data.table(TABLE), ["arm"], "left out of the means")
    usual = summary["noise_pct"].mode().iloc[0]
    return f"{text} In the other panels the noise is {usual:g} %. {bars} {lost}"


def alt(data: FigureData) -> str:
    _summary(data)
    return (
        "Log-log plots of the field's error over that of the true form, a panel for each of noise, points and "
        "trajectories, a line for each method."
    )


def _summary(data: FigureData) -> pd.DataFrame:
    summary = data.table(f"{TABLE}_summary")
    if summary.empty or COLUMN not in summary:
        raise NothingToShow("nothing was varied")
    return summary[summary["arm"] != TRUE_FORM]


def _along(summary: pd.DataFrame, sweep: str) -> pd.DataFrame:
    """The rows in which everything but `sweep` has its most frequent value, that of the other sweeps."""
    for other in SWEEPS:
        if other != sweep:
            summary = summary[summary[other] == summary[other].mode().iloc[0]]
    return summary
