"""Error of linear systems that are learnt from trajectories which decay into their noise."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line
from odestudy.figures.scales import log_axis, ticks_at
from odestudy.figures.style import BLUE, DASHDOT, GREY, ORANGE, canvas, legend_below
from odestudy.figures.words import failures, in_order, number, seeds_and_bars, sentence

SHOWS = {
    "title": "How far a trajectory may decay and its system still be learnt",
    "tables": ["dynamics_decay", "dynamics_decay_reach"],
}

TABLE, REACH = "dynamics_decay", "dynamics_decay_reach"
LEARNT: dict[str, Any] = {"color": BLUE, "marker": "o", "markersize": 4}
MEASURED: dict[str, Any] = {"color": BLUE, "linestyle": ":", "linewidth": 1.2}
LEAST: dict[str, Any] = {"color": ORANGE, "marker": "", "linestyle": "--"}


def draw(data: FigureData) -> Figure:
    summary, reach = _tables(data)
    systems = in_order(summary, "system")
    figure, grid = canvas(1, len(systems), height=2.6, sharex=True, sharey=True)
    for axes, system in zip(grid[0], systems, strict=True):
        mine = summary[summary["system"] == system]
        draw_line(axes, mine, "decades", "field_error_pct", LEARNT)
        draw_line(axes, mine, "decades", "bound_pct", LEAST)
        axes.axvline(_predicted(reach, system), color=GREY, linestyle=DASHDOT, linewidth=1.0)
        if 0 < (measured := _measured(reach, system)) < float("inf"):
            axes.axvline(measured, **MEASURED)
        axes.set_title(data.label(system, "system"))
        axes.set_xscale("log")
        ticks_at(axes, set(summary["decades"]))
        log_axis(axes, "y")
        axes.set_xlabel(data.axis("decades"))
    grid[0, 0].set_ylabel("error of the field (%)")
    handles = [
        Line2D([], [], label="linear model, trained", **LEARNT),
        Line2D([], [], label="least possible (Cramer-Rao)", **LEAST),
        Line2D(
            [],
            [],
            color=GREY,
            linestyle=DASHDOT,
            linewidth=1.0,
            label="predicted: half of the data show the fastest mode",
        ),
        Line2D([], [], label="recovered up to, median", **MEASURED),
    ]
    legend_below(figure, handles, columns=2)
    return figure


def caption(data: FigureData) -> str:
    summary, reach = _tables(data)
    said = []
    for system in in_order(summary, "system"):
        measured = _measured(reach, system)
        told = number(measured) if measured < float("inf") else "more than were tried"
        predicted = number(_predicted(reach, system))
        said.append(f"{data.label(system, 'system')} {told}, predicted {predicted}")
    text = sentence(
        f"decades of decay up to which trajectories from fresh starts are recovered (median over seeds): {'; '.join(said)}"
    )
    bars = seeds_and_bars(data, data.table(TABLE), summary, ["field_error_pct"], band=True)
    return (
        f"{text} {bars} {failures(data, data.table(TABLE), ['system', 'decades'], 'left out of the means')}"
    )


def alt(data: FigureData) -> str:
    _tables(data)
    return (
        "Log-log plots of the field's error against decades of decay, a panel for each system: the trained model's error and "
        "the least possible one, with vertical lines where recovery is predicted to end and where it is found to end."
    )


def _measured(reach: pd.DataFrame, system: str) -> float:
    """The decades up to which trajectories from fresh starts are recovered, the median; infinite where they always are."""
    return float(reach.loc[reach["system"] == system, "recovered_decades"].fillna(float("inf")).median())


def _predicted(reach: pd.DataFrame, system: str) -> float:
    return float(reach.loc[reach["system"] == system, "predicted_decades"].iloc[0])


def _tables(data: FigureData) -> tuple[pd.DataFrame, pd.DataFrame]:
    summary, reach = data.table(f"{TABLE}_summary"), data.table(REACH)
    if summary.empty or reach.empty:
        raise NothingToShow("nothing was learnt from decaying trajectories")
    return summary, reach[reach["iterations"] == reach["iterations"].max()]  # not those of half the length
