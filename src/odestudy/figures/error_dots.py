"""Errors by system and arm as dot plots: what the figures of recovery share."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.dots import Dots, categories, draw_dots, failed_handle
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import (
    counted,
    failures,
    in_order,
    listing,
    seeds_and_bars,
    sentence,
    span,
)

FILLS = ("full", "none", "left", "top")  # one for each way of computing the gradient
WIDEST = 1e4  # an error beyond it says nothing more; it is drawn there


def draw_errors(data: FigureData, name: str, columns: list[str]) -> Figure:
    """A panel for each column, a band of lines for each system, a line for each arm and gradient."""
    table = recovery_table(data, name)
    systems, series = in_order(table, "system"), _series(data, table)
    figure, grid = canvas(
        1, len(columns), height=0.9 + len(systems) * (0.16 + 0.115 * len(series)), sharey=True
    )
    marked = []
    for axes, column in zip(grid[0], columns, strict=True):
        lines = _lines(table, data.table(f"{name}_summary"), systems, series, column)
        marked.append(draw_dots(axes, lines, column, seeds_below=0.25 / len(series), log=True))
        log_axis(axes, "x")
        axes.set_xlabel(data.axis(column))
        categories(axes, [data.label(system) for system in systems])
    handles: list[Any] = [Line2D([], [], **look | {"linestyle": "none"}) for look in series.values()]
    legend_below(figure, handles + ([failed_handle()] if any(marked) else []), columns=3)
    return figure


def say_errors(data: FigureData, name: str, columns: list[str]) -> str:
    """The span of the first column for each arm, which arm wins most often, and what bars and crosses mean."""
    table, summary = recovery_table(data, name), data.table(f"{name}_summary")
    arms = in_order(table, "arm")
    shown = summary
    if "gradient" in summary:
        first = in_order(table, "gradient")[0]
        shown = summary[summary["gradient"].isin([first, "none"])]
    parts = [
        f"{span(data, shown[shown['arm'] == a], columns[0], 'system')} for {data.label(a)}" for a in arms
    ]
    text = sentence(f"{data.columns[columns[0]]['label']}: {listing(parts)}")
    known = [a for a in arms if a != "true_form"]
    won = _who_wins(data, shown[shown["arm"].isin(known)], known, columns[0]) if len(known) > 1 else ""
    return (
        f"{won} {text} Values beyond {WIDEST:g} and {1 / WIDEST:g} are drawn at the edges. "
        f"{seeds_and_bars(data, table, summary, columns)} {failures(data, table, ['system', 'arm'])}"
    )


def describe_errors(data: FigureData, name: str) -> str:
    table = recovery_table(data, name)
    systems = [data.label(system) for system in in_order(table, "system")]
    arms = [data.label(arm) for arm in in_order(table, "arm")]
    return (
        f"Dot plots with logarithmic axes, from top to bottom {listing(systems)}, each with markers for "
        f"{listing(arms)}."
    )


def recovery_table(data: FigureData, name: str) -> pd.DataFrame:
    """A long table of runs.

    Raises:
        NothingToShow: it has no row.
    """
    table = data.table(name)
    if table.empty:
        raise NothingToShow("no recovery run")
    return table


def _series(data: FigureData, table: pd.DataFrame) -> dict[tuple[str, Any], dict[str, Any]]:
    """(arm, gradient) -> look: the arm gives colour and marker, the gradient how the marker is filled."""
    styles = data.looks(in_order(table, "arm"), "arm")
    if "gradient" not in table:
        return {(arm, None): look for arm, look in styles.items()}
    gradients = in_order(table[table["gradient"] != "none"], "gradient")
    found = {}
    for arm, gradient in table[["arm", "gradient"]].drop_duplicates().itertuples(index=False):
        missing = gradient == "none"
        label = data.label(arm) + (f", {data.label(gradient)}" if len(gradients) > 1 and not missing else "")
        fill = "full" if missing else FILLS[gradients.index(gradient) % len(FILLS)]
        found[arm, None if missing else gradient] = styles[arm] | {"fillstyle": fill, "label": label}
    return found


def _lines(
    table: pd.DataFrame, summary: pd.DataFrame, systems: list[str], series: dict[Any, dict[str, Any]], column: str
) -> list[Dots]:  # fmt: skip
    lines = []
    for i, system in enumerate(systems):
        for j, ((arm, gradient), look) in enumerate(series.items()):
            runs, mean = (_clipped(_of(frame, system, arm, gradient), column) for frame in (table, summary))
            at = i + ((j + 0.5) / len(series) - 0.5) * 0.84 - 0.08 / len(series)
            lines.append(Dots(at, runs, mean, look | {"markersize": 4}))
    return lines


def _of(frame: pd.DataFrame, system: str, arm: str, gradient: Any) -> pd.DataFrame:
    mine = frame[(frame["system"] == system) & (frame["arm"] == arm)]
    return mine if gradient is None else mine[mine["gradient"] == gradient]


def _clipped(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Values beyond the edge are drawn at it, with no interval that would reach further."""
    names = [c for c in (column, f"{column}_low", f"{column}_high") if c in frame]
    return frame.assign(**{c: frame[c].clip(upper=WIDEST, lower=1 / WIDEST) for c in names})


def _who_wins(data: FigureData, shown: pd.DataFrame, arms: list[str], column: str) -> str:
    """For how many of the systems on which every arm ran each has the smallest error."""
    wide = shown.pivot_table(index="system", columns="arm", values=column).reindex(columns=arms).dropna()
    if wide.empty:
        return "No system was given to every arm."
    best = wide.idxmin(axis=1).value_counts()
    won = [f"{data.label(a)} for {best[a]}" for a in arms if a in best]
    library = " (SINDy's library of polynomials holds the true terms of systems that are polynomial)" * (
        "sindy" in arms
    )
    return (
        f"Beside the true form, the smallest error is that of {listing(won)} of the {counted(len(wide), 'system')} "
        f"that every arm was given{library}."
    )
