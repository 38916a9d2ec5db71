"""Two-year windows of sea-surface temperatures with gaps, and each arm's forecast of the gaps and of what follows."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData
from odestudy.figures.style import BLACK, GREY, canvas, legend_below
from odestudy.figures.words import counted, estimate, failures, listing, sentence
from odestudy.questions.timeseries.figures._pictures import Arrays, means_in_brackets, stored
from odestudy.questions.timeseries.figures.forecasts import handles

SHOWS = {
    "title": "Forecasts of sea-surface temperatures",
    "tables": ["timeseries_temperatures"],
    "arrays": ["temperatures"],
}
TABLE = "timeseries_temperatures"
SERIES = (0, 5)
UNITS_A_YEAR = 6  # time is stored in two months


def draw(data: FigureData) -> Figure:
    found = stored(data, TABLE, "inner_found")
    styles = data.looks(found, "arm")
    figure, grid = canvas(len(found), len(SERIES), height=1.1 + 0.6 / len(found), sharex=True, sharey=True)
    for strip, (arm, (_, arrays)) in zip(grid, found.items(), strict=True):
        for axes, series in zip(strip, SERIES, strict=True):
            _panel(axes, arrays, series, styles[arm])
        strip[0].set_ylabel(data.label(arm).replace(" with ", "\nwith "))
    for axes in grid[-1]:
        axes.set_xlabel("time (years)")
    legend_below(figure, _handles())
    return figure


def _panel(axes: Axes, arrays: Arrays, series: int, style: dict[str, Any]) -> None:
    def line(name: str) -> tuple[np.ndarray, np.ndarray]:
        t = arrays["t" if name == "x" else f"{name.removesuffix('_found')}_t"]
        return t[series] / UNITS_A_YEAR, arrays[name][series, :, 0]

    axes.plot(*line("whole"), color=BLACK, linewidth=0.8)
    axes.plot(*line("x"), ".", color=GREY, markersize=5)
    color, marker = style["color"], style["marker"]
    axes.plot(*line("inner_found"), color=color, marker=marker, linestyle="none", markersize=3.5)
    axes.plot(*line("outer_found"), color=color, linestyle=(0, (2, 1)))
    axes.axvline(2, color="#cccccc", linewidth=0.8, zorder=0)


def _handles() -> list[object]:
    truth, observed, gap, behind = handles()
    gap.set(marker="o", linestyle="none", markersize=3.5, label="in the gaps (in colour)")
    behind.set(label="after the window (in colour)")
    return [truth, observed, gap, behind]


def caption(data: FigureData) -> str:
    table, summary = data.table(TABLE), data.table(f"{TABLE}_summary")
    columns = ["interpolation_rmse", "extrapolation_rmse"]
    said = [
        f"{data.label(r['arm'])} {estimate(data, r, columns[0])} in the gaps and {estimate(data, r, columns[1])} after"
        for _, r in summary.iterrows()
    ]
    better = [int((summary[c] < summary[f"climate_{c}"]).sum()) for c in columns]
    text = sentence(
        f"of {counted(len(summary), 'arm')} {better[0]} in the gaps and {better[1]} after the window have a smaller mean "
        "error than the mean of the calendar month"
    )
    text += " " + sentence(f"RMSE in standard deviations of the series: {'; '.join(said)}")
    first = summary.iloc[0]
    text += (
        f" The mean of each calendar month makes {estimate(data, first, 'climate_interpolation_rmse')} and "
        f"{estimate(data, first, 'climate_extrapolation_rmse')}. Shown are two windows of the years held out."
    )
    return f"{text} {means_in_brackets(table, summary, columns[0])} {failures(data, table, ['arm'])}"


def alt(data: FigureData) -> str:
    arms = listing(map(data.label, stored(data, TABLE, "inner_found")))
    return (
        f"Pairs of time series of temperature over four years, one pair for each of {arms}: a black line, grey points "
        "observed in the first two years, coloured markers in the gaps and a broken coloured line after them."
    )
