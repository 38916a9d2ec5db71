"""Operations and time of trace and determinant against the dimension, by d products and by the structure of the net."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis, ticks_at
from odestudy.figures.style import DASHED, HOLLOW, canvas, legend_below
from odestudy.figures.words import counted, number, sentence

SHOWS = {
    "title": "Trace and determinant by d products and by the structure of the net",
    "tables": ["density_ways", "density_crossovers"],
}
TABLE, CROSSOVERS = "density_ways", "density_crossovers"
COLUMNS = {"flops": "operations per sample", "wall_s": "time per sample (s)"}
WAYS = ("trace", "structured_trace", "rademacher1", "logdet", "structured_logdet")
BY_PRODUCTS = {**HOLLOW, "linestyle": DASHED}


def draw(data: FigureData) -> Figure:
    summary, styles = _summary(data), _styles(data)
    figure, (panels,) = canvas(1, len(COLUMNS), height=3.0)
    for axes, (column, title) in zip(panels, COLUMNS.items(), strict=True):
        for way, style in styles.items():
            draw_line(axes, summary[summary["way"] == way], "d", column, style | {"markersize": 4})
        axes.set_xscale("log")
        log_axis(axes, "y")
        ticks_at(axes, sorted(set(summary["d"]))[::2])
        axes.set(title=title, xlabel=data.axis("d"))
    legend_below(figure, line_handles(styles), columns=3)
    return figure


def caption(data: FigureData) -> str:
    summary, seeds = _summary(data), counted(int(data.table(TABLE)["seed"].nunique()), "seed")
    least, most = summary["d"].min(), summary["d"].max()
    text = sentence(
        f"from d = {least:.0f} to {most:.0f} the time grows {_growth(summary, 'structured_trace')} times for the trace and "
        f"{_growth(summary, 'structured_logdet')} times for the determinant by the structure, "
        f"{_growth(summary, 'trace')} and {_growth(summary, 'logdet')} times by d products"
    )
    return (
        f"{text} One Euler step of a net with two hidden layers of width 64, forward; {_crossing(data)} Lines are means over {seeds}, "
        "bands their intervals; one sample's share of a small batch, one thread; what would take too long is counted only."
    )


def _growth(summary: pd.DataFrame, way: str) -> str:
    times = summary[summary["way"] == way].dropna(subset=["wall_s"]).sort_values("d")["wall_s"]
    return number(times.iloc[-1] / times.iloc[0]) if len(times) > 1 else "an unknown number of"


def _crossing(data: FigureData) -> str:
    """Where a determinant of size w is cheaper than one of size d, predicted and measured."""
    rows = data.table(CROSSOVERS)
    rows = rows[rows["crossing"] == "width_decides"]
    told = []
    for column, name in (("from_d_by_flops", "operations"), ("from_d_by_wall_s", "time")):
        known = rows[column].dropna() if column in rows else pd.Series(dtype=float)
        ends = (
            " to ".join(dict.fromkeys(f"{end:g}" for end in (known.min(), known.max()))) if len(known) else ""
        )
        told.append(f"from d = {ends} on in {name}" if ends else f"nowhere in {name}")
    return f"a determinant of size w is cheaper than one of size d {' and '.join(told)}."


def alt(data: FigureData) -> str:
    return (
        "Two log-log plots against the dimension, operations and time: trace and determinant by d products rise steeply, by the "
        "structure of the net they stay flat and then rise like one probe, with the dimension."
    )


def _styles(data: FigureData) -> dict[str, dict[str, Any]]:
    found = data.looks(WAYS, "way")
    return {way: style | (BY_PRODUCTS if way in ("trace", "logdet") else {}) for way, style in found.items()}


def _summary(data: FigureData) -> pd.DataFrame:
    summary = data.table(f"{TABLE}_summary")
    if summary.empty or "wall_s" not in summary:
        raise NothingToShow("no cost was measured")
    return summary
