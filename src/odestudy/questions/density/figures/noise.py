"""The noise of Hutchinson's estimate of one sample's log-density against the error that the step makes."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles, log_ticks_of_two
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import from_to, in_order, listing, seeds_and_bars, sentence

SHOWS = {
    "title": "The noise of Hutchinson's estimate against the error of the step",
    "tables": ["density_gap"],
}

TABLE = "density_gap"
EXACT = ["trace", "logdet"]
SHOWN = [
    "trace",
    "logdet",
    "rademacher1",
    "gaussian1",
    "rademacher10",
]  # the table has ten Gaussian probes, too


def draw(data: FigureData) -> Figure:
    summary = _rows(data, f"{TABLE}_summary")
    flows, styles = (
        _flows(summary),
        data.looks(in_order(summary, "formula"), "formula"),
    )
    figure, grid = canvas(1, len(flows), height=2.8, sharey=True)
    for axes, flow in zip(grid[0], flows, strict=True):
        mine = summary[summary["flow"] == flow]
        for formula, style in styles.items():
            draw_line(axes, mine[mine["formula"] == formula], "step", "error_nat", style | {"markersize": 4})
        log_ticks_of_two(axes, mine["step"], 5)
        axes.set(title=data.label(flow), xlabel=data.axis("step"))
    log_axis(grid[0, 0], "y")
    grid[0, 0].set_ylabel(data.axis("error_nat"))
    legend_below(figure, line_handles(styles), columns=3)
    return figure


def caption(data: FigureData) -> str:
    summary = _rows(data, f"{TABLE}_summary")
    flow = _flows(summary)[-1]
    noisy = summary[(summary["flow"] == flow) & ~summary["formula"].isin(EXACT)]
    noisy = noisy[noisy["step"] == noisy["step"].min()].sort_values("error_nat")
    method = data.label(in_order(summary, "method")[0], "method")
    ends = from_to(data, "error_nat", noisy["error_nat"].iloc[0], noisy["error_nat"].iloc[-1])
    names = [data.label(f, "formula") for f in (noisy["formula"].iloc[0], noisy["formula"].iloc[-1])]
    text = sentence(
        f"at the smallest step of {method} with which they were made the estimates are off by {ends} per sample ({listing(names)}) on the "
        f"{data.label(flow)}"
    )
    shown = summary["flow"].isin(_flows(summary))
    bars = seeds_and_bars(data, _rows(data, TABLE), summary[shown], ["error_nat"], band=True)
    return f"{text} Expected: noise that is fixed during a solve does not average out along it, however small its steps. {bars}"


def alt(data: FigureData) -> str:
    summary = _rows(data, f"{TABLE}_summary")
    names = listing(data.label(f, "formula") for f in in_order(summary, "formula"))
    return f"Log-log plots of the error of log p against the step for {names}; those of estimates are level."


def _flows(summary: pd.DataFrame) -> list[str]:
    """The last one, a trained flow; on linear flows the errors of both formulas are of one size."""
    return in_order(summary, "flow")[-1:]


def _rows(data: FigureData, name: str) -> pd.DataFrame:
    """The rows of the solver with which estimates were made, in float64."""
    table = data.table(name)
    noisy = table[~table["formula"].isin(EXACT)] if len(table) else table
    if noisy.empty:
        raise NothingToShow("no estimate was made")
    mine = table["method"].isin(noisy["method"].unique()) & (table["precision"] == "float64")
    return table[mine & table["formula"].isin(SHOWN)]
