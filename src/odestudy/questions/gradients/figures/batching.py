"""Error and evaluations with one step size for all samples and with one for each, against the share of fast ones."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.analysis.values import chosen
from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis, ticks_at
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import counted, in_order, number, sentence

SHOWS = {
    "title": "One step size for all samples, or one for each",
    "tables": ["gradients_batching"],
}
TABLE = "gradients_batching"
COLUMNS = ("error_fast", "nfe_sample", "wall_s")
TITLES = ("error of fast samples", "evaluations per sample", "time of the batch")


def draw(data: FigureData) -> Figure:
    table = _summary(data)
    styles, tolerances = data.looks(in_order(table, "batching"), "batching"), in_order(table, "rtol")
    figure, grid = canvas(1, len(COLUMNS), height=2.8)
    for axes, column, title in zip(grid[0], COLUMNS, TITLES, strict=True):
        for batching, style in styles.items():
            for rtol in tolerances:
                rows = table[(table["batching"] == batching) & (table["rtol"] == rtol)]
                fill = {} if rtol == tolerances[0] else {"markerfacecolor": "white"}
                draw_line(axes, rows, "fast", column, style | fill | {"markersize": 4.5})
        axes.set_xscale("log")
        log_axis(axes, "y")
        ticks_at(axes, sorted(set(table["fast"])))
        axes.set(title=title, xlabel=data.axis("fast"))
    for axes, label in zip(grid[0], ("relative error", "", "s"), strict=True):
        axes.set_ylabel(label)
    handles = line_handles(styles)
    for i, rtol in enumerate(tolerances):
        face = "black" if i == 0 else "white"
        handles.append(
            Line2D(
                [],
                [],
                marker="o",
                color="black",
                markerfacecolor=face,
                linestyle="none",
                label=f"tolerance {chosen(rtol)}",
            )
        )
    legend_below(figure, handles, 3)
    return figure


def caption(data: FigureData) -> str:
    table, summary = _table(data), _summary(data)
    fewest, loose = summary["fast"].min(), summary["rtol"].max()
    mine = summary[(summary["fast"] == fewest) & (summary["rtol"] == loose)].set_index("batching")
    shared, own = mine.loc["shared"], mine.loc["own_steps"]
    text = sentence(
        f"with {fewest} fast sample in the batch and one step for all, its error is {number(shared['error_fast'] / own['error_fast'])} "
        f"times that with a step of its own, and each sample takes {number(shared['nfe_sample'] / own['nfe_sample'])} times the "
        f"evaluations; the batch takes {number(own['wall_s'] / shared['wall_s'])} times the time with a step for each"
    )
    ratio, batches = f"{float(table['times_faster'].iloc[0]):g}", table["seed"].nunique()
    drawn = (
        f"Geometric means over {counted(batches, 'drawn batch')}; bands: 95 % intervals."
        if batches > 4
        else ""
    )
    return f"{text}{_peer(mine)} Oscillators, about {ratio} times faster than the rest; hollow markers: the tighter tolerance. {drawn}"


def _peer(mine: pd.DataFrame) -> str:
    """torchode beside our own steps for each sample, where it is installed."""
    if "torchode" not in mine.index or mine["error_fast"].isna()["torchode"]:
        return ""
    columns = ["error_fast", "nfe_sample", "wall_s"]
    over = mine[columns].astype(float).to_numpy()
    peer, own = (over[mine.index.get_loc(name)] for name in ("torchode", "own_steps"))
    error, nfe, wall = map(number, peer / own)
    return f" Over our own steps for each sample torchode has {error} times the error of the fast one, {nfe} times the evaluations per sample and {wall} times the time."


def alt(data: FigureData) -> str:
    return (
        "Three log-log panels against the number of fast samples, with lines for a step shared by all and for steps of each "
        "sample: the fast samples' relative error, evaluations per sample, and the time of the batch."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty or "error_fast" not in table:
        raise NothingToShow("no batch was solved")
    return table


def _summary(data: FigureData) -> pd.DataFrame:
    _table(data)
    return data.table(f"{TABLE}_summary").dropna(subset=["error_fast"])
