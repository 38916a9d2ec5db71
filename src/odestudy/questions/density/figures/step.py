"""Operations, time and memory of one whole training step with each formula against the dimension."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis, ticks_at
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import in_order, listing, number, sentence

SHOWS = {
    "title": "One whole training step against the dimension",
    "tables": ["density_step"],
}

TABLE = "density_step"
COLUMNS = {"flops": "operations per sample", "wall_s": "time (s)", "saved_mib": "kept for backward (MiB)"}


def draw(data: FigureData) -> Figure:
    table = _table(data)
    styles = data.looks(in_order(table, "formula"), "formula")
    figure, grid = canvas(1, len(COLUMNS), height=2.7)
    for axes, (column, title) in zip(grid[0], COLUMNS.items(), strict=True):
        for formula, style in styles.items():
            rows = table[table["formula"] == formula]
            draw_line(axes, rows, "d", column, style | {"markersize": 4})
            if column == "wall_s":
                axes.vlines(rows["d"], rows["wall_q1_s"], rows["wall_q3_s"], color=style["color"], linewidth=2.2,
                            alpha=0.5)  # fmt: skip
        axes.set_xscale("log")
        log_axis(axes, "y")
        ticks_at(axes, table["d"])
        axes.set(title=title, xlabel=data.axis("d"))
    legend_below(figure, line_handles(styles))
    return figure


def caption(data: FigureData) -> str:
    table = _table(data)
    last = table[table["d"] == table["d"].max()].set_index("formula")
    said = [
        f"{number(last.loc['logdet', column] / last.loc['trace', column], 3)} in {name}"
        for column, name in (("flops", "operations"), ("wall_s", "time"), ("saved_mib", "memory"))
    ]
    text = sentence(
        f"at d = {table['d'].max():.0f} the log-determinant over the exact trace is {listing(said)}"
    )
    return f"{text} Operations: forward pass; time: median of repeats, forward and backward, bars: quartiles."


def alt(data: FigureData) -> str:
    names = listing(
        str(s["label"]) for s in data.looks(in_order(_table(data), "formula"), "formula").values()
    )
    return f"Three log-log plots against the dimension, operations, time and memory, with a line for {names}."


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("no step was measured")
    return table
