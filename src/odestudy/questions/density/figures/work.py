"""Error of the likelihood in a given time, by trace and by log-determinant, on flows that need many steps."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import line_handles
from odestudy.figures.scales import log_axis
from odestudy.figures.style import DOTTED, HOLLOW, canvas, legend_below
from odestudy.figures.words import in_order, listing, number, sentence

SHOWS = {
    "title": "Error of log p against time on flows that need many steps",
    "tables": ["density_at_time", "density_levels", "density_search"],
}
TABLE, LEVELS, SEARCH = "density_at_time", "density_levels", "density_search"
FORMULAS = {"structured_trace": "error_trace_nat", "structured_logdet": "error_logdet_nat"}
SINGLE = {**HOLLOW, "linestyle": DOTTED}
LEVEL = 0.01


def draw(data: FigureData) -> Figure:
    table = _table(data)
    flows = [
        (target, scale)
        for target in in_order(table, "target")
        for scale in in_order(table[table["target"] == target], "scale")
    ]
    styles = data.looks(FORMULAS, "formula")
    columns = min(2, len(flows))
    rows = -(-len(flows) // columns)
    figure, grid = canvas(rows, columns, height=2.4, sharey=True)
    for axes, (target, scale) in zip(grid.flat, flows, strict=False):
        mine = table[(table["target"] == target) & (table["scale"] == scale)]
        for formula, column in FORMULAS.items():
            for precision, extra in (("float64", {}), ("float32", SINGLE)):
                runs = _median(mine[mine["precision"] == precision], column)
                axes.plot(runs["time_us"], runs[column], **styles[formula] | extra | {"markersize": 3})
        log_axis(axes, "x")
        axes.set_title(f"{data.label(target)}, {_factor(scale)}", fontsize="small")
    for axes in list(grid.flat)[len(flows) :]:
        axes.set_axis_off()
    log_axis(grid[0, 0], "y")
    for row in grid:
        row[0].set_ylabel(data.axis("error_nat"))
    for axes in grid[-1]:
        axes.set_xlabel(data.axis("time_us"))
    single = {f: s | SINGLE | {"label": f"{s['label']}, single precision"} for f, s in styles.items()}
    legend_below(figure, [*line_handles(styles), *line_handles(single)], columns=2)
    return figure


def _median(runs: pd.DataFrame, column: str) -> pd.DataFrame:
    """Median over seeds of an error, at times that most seeds share to a third of a decade."""
    runs = runs.dropna(subset=[column])
    bins = np.round(3 * np.log10(runs["time_us"].to_numpy(dtype=float)))
    return runs.groupby(bins)[["time_us", column]].median().sort_values("time_us")


def _factor(scale: float) -> str:
    return "as trained" if scale == 1 else f"{number(scale)} times as fast"


def caption(data: FigureData) -> str:
    levels = data.table(f"{LEVELS}_summary")
    steep = data.table(f"{SEARCH}_summary").set_index(["target", "scale"])["lipschitz"]
    said = []
    if "time_ratio" in levels:
        chosen = levels[
            (levels["method"] == "best")
            & (levels["precision"] == "float64")
            & np.isclose(levels["level"], LEVEL)
        ]
        for _, row in chosen.dropna(subset=["time_ratio"]).iterrows():
            flow = f"{data.label(row['target'])} {_factor(row['scale'])}"
            said.append(
                f"{number(row['time_ratio'])} on {flow} (Lipschitz constant {number(steep[row['target'], row['scale']])})"
            )
    text = sentence(
        f"for an error of {LEVEL} nat the log-determinant takes, over the trace, {listing(said)} times as long"
        if said
        else f"no flow was solved to {LEVEL} nat by both formulas"
    )
    return (
        f"{text} Mean error over samples against the flow to a tight tolerance, with the best of Euler, midpoint and RK4 in that "
        "time; both formulas by the structure of the net. Medians over seeds, each a flow trained anew; a solve is as many steps as it has, "
        "the time of one being taken alone."
    )


def alt(data: FigureData) -> str:
    flows = listing(dict.fromkeys(data.label(t) for t in in_order(_table(data), "target")))
    return (
        f"Log-log panels, error of the log-density against time a sample, for {flows}, the trace and the log-determinant in "
        "double and in single precision; single precision ends in a floor."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty or "error_trace_nat" not in table:
        raise NothingToShow("no flow was compared")
    return table[table["method"] == "best"]
