"""Error of learnt linear systems against the size of what is badly conditioned, three kinds apart."""

from __future__ import annotations

from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis, ticks_at
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import (
    estimate,
    failures,
    in_order,
    is_ok,
    number,
    seeds_and_bars,
    sentence,
)

SHOWS = {
    "title": "Bad conditioning, three kinds apart",
    "tables": ["dynamics_conditioning"],
}

TABLE = "dynamics_conditioning"
COLUMNS = ["field_error_pct", "fast_error_pct"]
AXES = {
    "stiff": "stiffness",
    "transient": "stiffness",
    "eigenvectors": "eigenvector_condition",
    "data": "data_condition",
}


def draw(data: FigureData) -> Figure:
    summary = _summary(data)
    problems, styles = in_order(summary, "problem"), data.looks(in_order(summary, "arm"), "arm")
    figure, grid = canvas(len(COLUMNS), len(problems), height=2.1, sharex="col", sharey="row")
    for row, column in zip(grid, COLUMNS, strict=True):
        for axes, problem in zip(row, problems, strict=True):
            mine, runs = (frame[frame["problem"] == problem] for frame in (summary, data.table(TABLE)))
            for arm, style in styles.items():
                of_arm = mine[mine["arm"] == arm]
                draw_line(axes, of_arm, AXES[problem], column, style | {"markersize": 4})
                if of_arm[f"{column}_low"].isna().all():
                    _single_seeds(axes, runs[runs["arm"] == arm], AXES[problem], column, style["color"])
        log_axis(row[0], "y")
        row[0].set_ylabel(fill(data.axis(column), 20), fontsize=8)
    for top, bottom, problem in zip(grid[0], grid[-1], problems, strict=True):
        top.set_title(fill(data.label(problem, "problem"), 18), fontsize=8.5)
        bottom.set_xscale("log")
        ticks_at(bottom, summary.loc[summary["problem"] == problem, AXES[problem]].dropna().round(0))
        bottom.set_xlabel(data.axis(AXES[problem]).replace(" of the ", "\nof the "), fontsize=8)
    legend_below(figure, line_handles(styles), columns=2)
    return figure


def _single_seeds(axes: Axes, runs: pd.DataFrame, x: str, column: str, color: str) -> None:
    """A thin line for each seed, where these are too few for an interval."""
    for _, run in runs[is_ok(runs)].groupby("seed"):
        run = run.sort_values(x, kind="stable")
        axes.plot(run[x], run[column], color=color, linewidth=0.5, alpha=0.6)


def caption(data: FigureData) -> str:
    summary = _summary(data)
    said = []
    for problem in in_order(summary, "problem"):
        worst = summary[(summary["problem"] == problem) & (summary["k"] == summary["k"].max())]
        parts = [f"{data.label(r['arm'])} {estimate(data, r, COLUMNS[0])}" for _, r in worst.iterrows()]
        said.append(f"{data.label(problem, 'problem')}: {', '.join(parts)}")
    text = sentence(f"field error where the conditioning is worst: {'; '.join(said)}")
    text += _out_of_reach(data, summary)
    bars = seeds_and_bars(data, data.table(TABLE), summary, COLUMNS, band=True)
    return f"{text} {bars} {failures(data, data.table(TABLE), ['problem', 'arm'], 'left out of the means')}"


def _out_of_reach(data: FigureData, summary: pd.DataFrame) -> str:
    """Where an entry had to go more than half as far as the optimiser could move it; nothing where there is none."""
    far = summary[summary["travel_needed"] > summary["travel_possible"] / 2]
    if far.empty:
        return ""
    said: dict[str, list[str]] = {}
    for problem, part in far.groupby("problem", sort=False):
        arms = " and ".join(data.label(arm) for arm in in_order(part, "arm"))
        said.setdefault(f"{arms}, from k = {number(part['k'].min())} on", []).append(
            data.label(str(problem), "problem")
        )
    parts = [f"{'; '.join(problems)} ({where})" for where, problems in said.items()]
    return f" Errors that the length of the optimiser's steps may explain: {'; '.join(parts)}."


def alt(data: FigureData) -> str:
    _summary(data)
    return (
        "Log-log plots of the error of the learnt field and of its fast eigenvalue, a column for each kind of bad "
        "conditioning, lines for training as it is, in units of the data, there with longer steps, and for least squares."
    )


def _summary(data: FigureData) -> pd.DataFrame:
    summary = data.table(f"{TABLE}_summary")
    if summary.empty:
        raise NothingToShow("no badly conditioned system was learnt")
    return summary
