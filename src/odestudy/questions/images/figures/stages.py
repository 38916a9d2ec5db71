"""Time of a training step against the stages of the method over its step size, k / h."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis, ticks_at
from odestudy.figures.style import GREY, canvas, legend_below
from odestudy.figures.words import from_to, in_order, listing, number, seeds_and_bars, sentence
from odestudy.measure.fits import power_fit

SHOWS = {"title": "Time of a training step against stages over step", "tables": ["images_stages"]}

TABLE = "images_stages"


def draw(data: FigureData) -> Figure:
    summary = _summary(data)
    datasets = in_order(summary, "dataset")
    styles = data.looks(in_order(summary, "method"), "method")
    figure, grid = canvas(1, len(datasets), height=2.9)
    for axes, dataset in zip(grid[0], datasets, strict=True):
        mine = summary[summary["dataset"] == dataset]
        for name, look in styles.items():
            draw_line(axes, mine[mine["method"] == name], "nfe_forward", "wall_s", look)
        most = mine.loc[mine["nfe_forward"].idxmax()]
        ends = mine["nfe_forward"].min(), most["nfe_forward"]
        axes.plot(ends, [most["wall_s"] * x / ends[1] for x in ends], color=GREY, linewidth=0.9, zorder=0)
        axes.set_xscale("log")
        log_axis(axes, "y")
        ticks_at(axes, {2**k for k in range(12) if ends[0] <= 2**k <= ends[1]})
        axes.set(xlabel="stages over step size, k / h", ylabel=data.axis("wall_s"))
        axes.set_title(data.label(dataset, "dataset"))
    legend_below(figure, line_handles(styles))
    return figure


def caption(data: FigureData) -> str:
    summary = _summary(data)
    said = []
    for dataset in in_order(summary, "dataset"):
        mine = summary[summary["dataset"] == dataset].sort_values("nfe_forward")
        ends = mine.iloc[[0, -1]]
        way = from_to(data, "wall_s", ends["wall_s"].iloc[0], ends["wall_s"].iloc[1])
        k = from_to(data, "nfe_forward", ends["nfe_forward"].iloc[0], ends["nfe_forward"].iloc[1])
        where = f"on {data.label(dataset, 'dataset')}"
        said.append(f"{where} the time of a step goes from {way} while k / h goes from {k}{_power(mine)}")
    bars = seeds_and_bars(data, data.table(TABLE), summary, ["wall_s"], band=True)
    return f"{sentence('; '.join(said))} Grey: proportional to k / h, through the last point. {bars}"


def _power(mine: pd.DataFrame) -> str:
    """The power law through all points of all methods."""
    known = mine.dropna(subset=["wall_s"])
    if len(known) < 4:
        return ""
    fit = power_fit(known["nfe_forward"].tolist(), known["wall_s"].tolist())
    return f", as a + b (k / h)^{number(fit.alpha, 3)} ({number(fit.low, 3)} to {number(fit.high, 3)})"


def alt(data: FigureData) -> str:
    methods = listing(map(data.label, in_order(_summary(data), "method")))
    return f"Log-log plot of the time of a training step against k over h, with a line for {methods}."


def _summary(data: FigureData) -> pd.DataFrame:
    summary = data.table(f"{TABLE}_summary")
    if summary.empty:
        raise NothingToShow("no time was measured against stages over step")
    return summary
