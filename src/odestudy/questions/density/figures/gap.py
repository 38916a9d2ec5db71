"""Gap between the trace integral and the log-determinant of the map as computed, against the step."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.analysis.values import chosen
from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles, log_ticks_of_two
from odestudy.figures.scales import log_axis
from odestudy.figures.style import GREY, canvas
from odestudy.figures.words import estimate, in_order, listing, seeds_and_bars, sentence

SHOWS = {
    "title": "Gap between trace integral and log-determinant against the step",
    "tables": ["density_gap", "density_limits", "density_slopes"],
}

TABLE, LIMITS = "density_gap", "density_limits"
SLOPES = "density_slopes"


def draw(data: FigureData) -> Figure:
    summary, small = _summary(data), _small_nat(data)
    flows, styles = in_order(summary, "flow"), data.looks(in_order(summary, "method"), "method")
    columns = min(3, len(flows) + 1)
    figure, grid = canvas(-(-(len(flows) + 1) // columns), columns, height=2.5, sharey=True)
    panels = list(grid.flat)
    for axes, flow in zip(panels, flows, strict=False):
        mine = summary[summary["flow"] == flow]
        for method, style in styles.items():
            one = mine[mine["method"] == method]
            single = one[one["precision"] == "float32"]
            draw_line(
                axes, single, "step", "gap_nat", style | {"linewidth": 0.7, "markersize": 0, "alpha": 0.6}
            )
            draw_line(axes, one[one["precision"] == "float64"], "step", "gap_nat", style | {"markersize": 4})
        axes.axhline(small, color=GREY, linewidth=0.8, zorder=0)
        axes.set_title(data.label(flow))
        log_ticks_of_two(axes, mine["step"], 4)
        axes.set_xlabel(data.axis("step"))
    log_axis(panels[0], "y")
    for row in grid:
        row[0].set_ylabel("mean gap (nat)")
    thin = [Line2D([], [], color=GREY, linewidth=0.7, label="thin lines: float32")]
    for axes in panels[len(flows) :]:
        axes.set_axis_off()
    panels[len(flows)].legend(handles=[*line_handles(styles), *thin], loc="center")
    return figure


def caption(data: FigureData) -> str:
    bars = seeds_and_bars(data, data.table(TABLE), _summary(data), ["gap_nat"], band=True)
    return (
        f"{_slopes(data)} Grey line: {chosen(_small_nat(data))} nat, below which the gap counts as small. {bars} Linear flows need "
        "no seeds. The tables have every slope and the largest steps with a small gap."
    )


def _slopes(data: FigureData) -> str:
    """Slope beside order in float64, of the flow that was trained, or of the first where none was."""
    table = data.table(f"{SLOPES}_summary")
    table = table[table["precision"] == "float64"].dropna(subset=["slope"]) if len(table) else table
    if table.empty:
        return "No slope could be taken."
    flow = in_order(table, "flow")[-1]
    slopes = [
        f"{estimate(data, row, 'slope', 3)} with {data.label(row['method'], 'method')}, of order {row['order']:.0f}"
        for _, row in table[table["flow"] == flow].iterrows()
    ]
    return sentence(
        f"over the smallest steps the gap falls, {data.label(flow)}, with a slope of {listing(slopes)}"
    )


def _small_nat(data: FigureData) -> float:
    return float(data.table(LIMITS)["gap_limit_nat"].iloc[0])


def alt(data: FigureData) -> str:
    summary = _summary(data)
    flows = listing(map(data.label, in_order(summary, "flow")))
    methods = listing(str(s["label"]) for s in data.looks(in_order(summary, "method"), "method").values())
    return (
        f"Log-log panels for {flows}: the mean gap against the step for {methods}, thick in float64 and thin in "
        "float32."
    )


def _summary(data: FigureData) -> pd.DataFrame:
    summary = data.table(f"{TABLE}_summary")
    summary = summary[summary["formula"] == "trace"] if len(summary) else summary
    if summary.empty:
        raise NothingToShow("no flow was compared")
    return summary
