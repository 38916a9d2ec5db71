"""The least singular value of a solver's step, and the share of samples whose step changes orientation."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles, log_ticks_of_two
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import in_order, listing, number, seeds_and_bars, sentence

SHOWS = {
    "title": "Where a step of the solver stops being invertible",
    "tables": ["density_gap", "density_limits"],
}

TABLE, LIMITS = "density_gap", "density_limits"
COLUMNS = ["least_singular", "folded_pct"]


def draw(data: FigureData) -> Figure:
    summary = _summary(data)
    flows, styles = in_order(summary, "flow"), data.looks(in_order(summary, "method"), "method")
    figure, grid = canvas(len(flows), 2, height=2.3, sharex=True)
    for row, flow in zip(grid, flows, strict=True):
        mine = summary[summary["flow"] == flow]
        for axes, column in zip(row, COLUMNS, strict=True):
            for method, style in styles.items():
                one = mine[mine["method"] == method]
                draw_line(axes, one, "step", column, style | {"markersize": 4}, positive=column == COLUMNS[0])
            log_ticks_of_two(axes, mine["step"], 6)
        log_axis(row[0], "y")
        row[0].set_ylabel(f"least singular value\n{data.label(flow)}")
        row[1].set_ylabel("orientation changed (%)")
        row[1].set_ylim(bottom=0)
    for axes in grid[-1]:
        axes.set_xlabel(data.axis("step"))
    legend_below(figure, line_handles(styles))
    return figure


def caption(data: FigureData) -> str:
    flows = in_order(_summary(data), "flow")
    limits = data.table(f"{LIMITS}_summary")
    said = []
    for flow in flows:
        mine = limits[limits["flow"] == flow].set_index("method")["largest_unfolded_step"].dropna()
        steps = [f"{number(step)} ({data.label(str(method), 'method')})" for method, step in mine.items()]
        said.append(f"{data.label(flow)}: {listing(steps)}")
    text = sentence(
        f"largest step from which on no sample meets a determinant that is not positive, {'; '.join(said)}"
    )
    bars = seeds_and_bars(data, _rows(data.table(TABLE)), _summary(data), ["folded_pct"], band=True)
    return (
        f"{text} Left, the least singular value of the Jacobian of any step on any sample's path. A determinant that has changed "
        f"its sign twice is positive again, so that a share of zero at a coarse step does not say that nothing folded. {bars}"
    )


def alt(data: FigureData) -> str:
    return (
        "Two plots for each flow against the step: left the least singular value, which falls towards zero as the step "
        "grows, right the share of samples whose step changes orientation, zero for small steps."
    )


def _rows(table: pd.DataFrame) -> pd.DataFrame:
    """The log-determinant's rows in float64 of the flows that were trained, which are the ones that fold."""
    if table.empty:
        return table
    rows = table[(table["formula"] == "logdet") & (table["precision"] == "float64")]
    folding = rows.loc[rows["folded_pct"] > 0, "flow"].unique()
    return rows[rows["flow"].isin(folding)]


def _summary(data: FigureData) -> pd.DataFrame:
    rows = _rows(data.table(f"{TABLE}_summary"))
    if rows.empty:
        raise NothingToShow("no step of any flow changed orientation")
    return rows
