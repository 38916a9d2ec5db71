"""Operations and time of trace and determinant of a net's Jacobian against the dimension, apart from any solver."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.present.figures.base import FigureData, NothingToShow
from odestudy.present.figures.lines import draw_line, line_handles
from odestudy.present.figures.scales import log_axis, ticks_at
from odestudy.present.figures.style import canvas, legend_below, looks
from odestudy.present.figures.words import in_order, listing, sentence

TABLE, CROSSOVERS = "density_isolated", "density_crossovers"
COLUMNS = ["flops", "wall_s"]
NETS = {"fixed": "hidden layers of fixed width", "grows": "hidden layers d wide"}


def draw(data: FigureData) -> Figure:
    table = _table(data)
    nets, styles = in_order(table, "net"), looks(in_order(table, "part"))
    figure, grid = canvas(len(COLUMNS), len(nets), height=2.4, sharex=True, sharey="row")
    for row, column in zip(grid, COLUMNS, strict=True):
        for axes, net in zip(row, nets, strict=True):
            mine = table[table["net"] == net]
            for part, style in styles.items():
                rows = mine[mine["part"] == part]
                draw_line(axes, rows, "d", column, style | {"markersize": 4})
                if column == "wall_s":
                    axes.vlines(rows["d"], rows["wall_q1_s"], rows["wall_q3_s"], color=style["color"], linewidth=2.2,
                                alpha=0.5)  # fmt: skip
            axes.set_xscale("log")
            ticks_at(axes, sorted(set(mine["d"]))[::2])
            if column == COLUMNS[0]:
                axes.set_title(NETS.get(net, net))
        log_axis(row[0], "y")
        row[0].set_ylabel(f"{data.axis(column)}" + (" a sample" if column == "wall_s" else ""))
    for axes in grid[-1]:
        axes.set_xlabel(data.axis("d"))
    legend_below(figure, line_handles(styles), columns=2)
    return figure


def caption(data: FigureData) -> str:
    said = []
    for _, row in data.table(CROSSOVERS).iterrows():
        flops, time = (_crossing(row.get(c)) for c in ("crossover_d_by_flops", "crossover_d_by_wall_s"))
        said.append(f"with {NETS.get(row['net'], row['net'])} {flops} in operations and {time} in time")
    text = sentence(f"elimination overtakes the d products of the exact trace {listing(said)}")
    return f"{text} Median of repeats after a warm-up, bars: quartiles; one sample's share of a small batch, one thread."


def alt(data: FigureData) -> str:
    return (
        "Log-log plots against the dimension, above operations, below time, for the exact trace, one probe, the sum "
        "of a formed diagonal and the determinant; the determinant is the steepest line."
    )


def _crossing(value: float | None) -> str:
    return "nowhere in the range" if value is None or pd.isna(value) else f"from d = {value:.0f} on"


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("no cost was measured")
    return table
