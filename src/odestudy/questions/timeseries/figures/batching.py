"""Time of one gradient step against the number of samples, for each way of batching irregular times."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis, ticks_at
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import failures, in_order, listing, quantity, sentence

SHOWS = {
    "title": "Time of a batch with irregular times",
    "tables": ["timeseries_batching"],
}
TABLE = "timeseries_batching"
COLUMNS = ["wall_s", "error"]


def draw(data: FigureData) -> Figure:
    table = _table(data)
    styles = data.looks(in_order(table, "way"), "way")
    figure, grid = canvas(1, 2, height=3.1)
    for axes, column in zip(grid[0], COLUMNS, strict=True):
        for way, style in styles.items():
            rows = table[table["way"] == way]
            if column == "wall_s" and {"wall_q1_s", "wall_q3_s"} <= set(rows):
                rows = rows.assign(wall_s_low=rows["wall_q1_s"], wall_s_high=rows["wall_q3_s"])
            draw_line(axes, rows, "samples", column, style)
        axes.set(xlabel=data.axis("samples"), ylabel=data.axis(column))
        log_axis(axes, "x")
        log_axis(axes, "y")
        ticks_at(axes, table["samples"].unique())
    legend_below(figure, line_handles(styles), columns=2)
    return figure


def caption(data: FigureData) -> str:
    table = _table(data)
    most = table[table["samples"] == table["samples"].max()]
    said = [
        f"{data.label(r['way'])} {quantity(data, 'wall_s', r['wall_s'])}, error {quantity(data, 'error', r['error'])}"
        for _, r in most.dropna(subset=COLUMNS).iterrows()
    ]
    text = sentence(f"a gradient step of {int(table['samples'].max())} samples: {'; '.join(said)}")
    return f"{text} Medians of repeats in one process; bands: their quartiles. {failures(data, table, ['way'], 'left out')}"


def alt(data: FigureData) -> str:
    ways = listing(map(data.label, in_order(_table(data), "way")))
    return (
        "Two plots with logarithmic axes against the number of samples, left the time of a gradient step, right the "
        f"largest error; lines for {ways}."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("nothing was timed")
    return table
