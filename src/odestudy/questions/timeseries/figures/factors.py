"""Errors by noise and spacing: against the truth, and against points that carry the noise themselves."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.dots import Dots, categories, draw_dots, failed_handle
from odestudy.figures.scales import log_axis
from odestudy.figures.style import BLACK, canvas, legend_below
from odestudy.figures.words import failures, in_order, listing, number, seeds_and_bars, sentence

SHOWS = {
    "title": "Noise and spacing",
    "tables": ["timeseries_factors"],
}
TABLE = "timeseries_factors"
COLUMNS = ["interpolation_rmse", "interpolation_noisy_rmse", "extrapolation_noisy_rmse"]
TITLES = ["interpolation, truth", "interpolation, noisy points", "extrapolation, noisy points"]


def draw(data: FigureData) -> Figure:
    table = _table(data)
    cells, styles, counts = (
        _cells(table),
        data.looks(in_order(table, "arm"), "arm"),
        in_order(table, "observed"),
    )
    figure, grid = canvas(len(counts), 3, height=0.9 + 0.42 * len(cells), sharey=True, sharex="col")
    marked = False
    for strip, observed in zip(grid, counts, strict=True):
        for axes, column, title in zip(strip, COLUMNS, TITLES, strict=True):
            lines = _lines(data, cells, styles, observed)
            marked |= draw_dots(axes, lines, column, seeds_below=0.1, log=True)
            categories(axes, [f"noise {noise:g},\n{spacing}" for noise, spacing in cells])
            if "noisy" in column:
                for at, (noise, _) in enumerate(cells):
                    axes.plot([noise, noise], [at - 0.42, at + 0.42], color=BLACK, linewidth=1.2)
            log_axis(axes, "x")
            axes.set_title(f"{title}\n{int(observed)} observations", fontsize=9)
    for axes in grid[-1]:
        axes.set_xlabel("RMSE")
    handles: list[Any] = [
        Line2D([], [], **style | {"linestyle": "none", "label": data.label(arm)})
        for arm, style in styles.items()
    ]
    handles.append(
        Line2D([], [], color=BLACK, marker="|", markersize=11, linestyle="none", label="the noise alone")
    )
    legend_below(figure, handles + ([failed_handle()] if marked else []))
    return figure


def _cells(table: pd.DataFrame) -> list[tuple[float, str]]:
    pairs = table[["noise", "spacing"]].drop_duplicates().sort_values(["noise", "spacing"], kind="stable")
    return list(pairs.itertuples(index=False, name=None))


def _lines(
    data: FigureData, cells: list[tuple[float, str]], styles: dict[str, dict[str, Any]], observed: int
) -> list[Dots]:
    lines = []
    for i, (noise, spacing) in enumerate(cells):
        for j, (arm, style) in enumerate(styles.items()):
            at = i + ((j + 0.4) / len(styles) - 0.5) * 0.8
            runs, mean = (
                f[
                    (f["noise"] == noise)
                    & (f["spacing"] == spacing)
                    & (f["arm"] == arm)
                    & (f["observed"] == observed)
                ]
                for f in (_table(data), data.table(f"{TABLE}_summary"))
            )
            lines.append(Dots(at, runs, mean, style))
    return lines


def caption(data: FigureData) -> str:
    table, summary = _table(data), data.table(f"{TABLE}_summary")
    said = []
    for (observed, arm), rows in summary.groupby(["observed", "arm"], sort=False):
        parts = [
            f"{number(r['interpolation_noisy_rmse'])} (noise {r['noise']:g}, {r['spacing']})"
            for _, r in rows.iterrows()
        ]
        said.append(f"{data.label(str(arm))} with {observed} observations {listing(parts)}")
    text = f"{_which_matters(data, summary)} " + sentence(
        f"interpolation RMSE against noisy points: {'; '.join(said)}"
    )
    text += " The black rule is the standard deviation of the noise, below which no forecast can stay in the mean."
    bars = seeds_and_bars(data, table, summary, COLUMNS)
    return f"{text} {bars} {failures(data, table, ['observed', 'arm', 'spacing', 'noise'])}"


def _which_matters(data: FigureData, summary: pd.DataFrame) -> str:
    """The largest change by noise and by spacing of the latent ODE's mean error against the truth, all else the same."""
    mine = summary[summary["arm"] == "latent_ode"]
    said = []
    for column, other in (("noise", "spacing"), ("spacing", "noise")):
        wide = mine.pivot_table(index=["observed", other], columns=column, values=COLUMNS[0]).dropna()
        if wide.shape[1] > 1 and len(wide):
            factors = wide.max(axis=1) / wide.min(axis=1)
            said.append(
                f"{number(factors.min())} to {number(factors.max())} by {data.columns[column]['label']}"
            )
    return (
        sentence(f"the latent ODE's mean error against the truth changes by factors of {listing(said)}")
        if said
        else ""
    )


def alt(data: FigureData) -> str:
    arms = listing(map(data.label, in_order(_table(data), "arm")))
    return (
        "Three dot plots with logarithmic axes, one line for each pair of noise and spacing, with markers for "
        f"{arms}; a black rule marks the noise where the error is taken against noisy points."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("no training run")
    return table
