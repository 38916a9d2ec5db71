"""Operations and time of trace and determinant of a net's Jacobian against the dimension, apart from any solver."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis, ticks_at
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import counted, in_order

SHOWS = {
    "title": "Trace against determinant, apart from any solver",
    "tables": ["density_isolated", "density_crossovers"],
}

TABLE, CROSSOVERS = "density_isolated", "density_crossovers"
COLUMNS = ["flops", "wall_s"]
NETS = {"fixed": "hidden layers of fixed width", "grows": "hidden layers d wide"}


def draw(data: FigureData) -> Figure:
    table = _table(data)
    nets, styles = in_order(table, "net"), data.looks(in_order(table, "part"), "part")
    figure, grid = canvas(len(COLUMNS), len(nets), height=2.4, sharex=True, sharey="row")
    for row, column in zip(grid, COLUMNS, strict=True):
        for axes, net in zip(row, nets, strict=True):
            mine = table[table["net"] == net]
            for part, style in styles.items():
                rows = _over_seeds(mine[mine["part"] == part])
                draw_line(axes, rows, "d", column, style | {"markersize": 4})
                if column == "wall_s":
                    axes.vlines(rows["d"], rows["wall_q1_s"], rows["wall_q3_s"], color=style["color"], linewidth=2.2,
                                alpha=0.5)  # fmt: skip
            axes.set_xscale("log")
            ticks_at(axes, sorted(set(mine["d"]))[::2])
            if column == COLUMNS[0]:
                axes.set_title(NETS.get(net, net))
        log_axis(row[0], "y")
        row[0].set_ylabel(f"{data.axis(column)}" + (" per sample" if column == "wall_s" else ""))
    for axes in grid[-1]:
        axes.set_xlabel(data.axis("d"))
    legend_below(figure, line_handles(styles), columns=2)
    return figure


def caption(data: FigureData) -> str:
    crossovers, said = data.table(CROSSOVERS), []
    for net in in_order(crossovers, "net"):
        rows = crossovers[crossovers["net"] == net]
        flops, time = (_crossing(rows, c) for c in ("crossover_d_by_flops", "crossover_d_by_wall_s"))
        where = (
            f"{flops}, in operations and in time"
            if flops == time
            else f"{flops} in operations, {time} in time"
        )
        said.append(f"with {NETS.get(net, net)} {where}")
    seeds = counted(int(_table(data)["seed"].nunique()), "seed")
    return (
        f"Elimination overtakes the d products of the exact trace {'; '.join(said)} (d up to {_table(data)['d'].max():.0f}). "
        f"Median over {seeds} of the median of repeats after a warm-up, bars: quartiles of the repeats; one sample's share "
        "of a small batch, one thread."
    )


def alt(data: FigureData) -> str:
    return (
        "Log-log plots against the dimension, above operations, below time, for the exact trace, one probe, the sum "
        "of a formed diagonal and the determinant; the determinant is the steepest line."
    )


def _crossing(rows: pd.DataFrame, column: str) -> str:
    """From which dimension on, over the seeds of one net."""
    known = rows[column].dropna() if column in rows else pd.Series(dtype=float)
    if known.empty:
        return "nowhere"
    ends = " to ".join(dict.fromkeys(f"{end:g}" for end in (known.min(), known.max())))
    part = "" if len(known) == len(rows) else f" in {len(known)} of {counted(len(rows), 'seed')}"
    return f"from d = {ends} on{part}"


def _over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a dimension, the median over seeds."""
    return rows.groupby("d", as_index=False)[
        [c for c in (*COLUMNS, "wall_q1_s", "wall_q3_s") if c in rows]
    ].median()


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("no cost was measured")
    return table
