"""A map of how one gradient on an unstable system ends, for each combination of factors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.style import BLUE, GREY, ORANGE, RED, YELLOW, canvas, legend_below
from odestudy.figures.words import counted, estimate, in_order, listing, number, sentence

SHOWS = {
    "title": "What makes training on an unstable system crash",
    "tables": ["dynamics_crash", "dynamics_crash_shares"],
}

TABLE, SHARES = "dynamics_crash", "dynamics_crash_shares_summary"
PROBLEM = "unstable"
ENDS = {  # status -> colour, a letter where colour alone would carry the difference, and name
    "ok": (BLUE, "", "ends well (w where seeds differ)"),
    "step_size_underflow": (RED, "u", "u: step size underflow"),
    "non_finite": (ORANGE, "n", "n: not finite"),
    "max_steps": (YELLOW, "s", "s: too many steps"),
    "other": (GREY, "?", "another failure"),
}


def draw(data: FigureData) -> Figure:
    table = _table(data)
    panels = table[["loss", "precision"]].drop_duplicates().itertuples(index=False)
    losses, precisions = in_order(table, "loss"), in_order(table, "precision")
    rows = _rows(table)
    figure, grid = canvas(
        len(precisions), len(losses), height=0.55 + 0.2 * len(rows), sharex=True, sharey=True
    )
    for loss, precision in panels:
        axes = grid[precisions.index(precision), losses.index(loss)]
        _panel(axes, table[(table["loss"] == loss) & (table["precision"] == precision)], rows)
        axes.set_title(
            f"{data.label(precision, 'precision')}, loss: {data.label(loss, 'loss')}", fontsize=7.5
        )
        axes.set_yticks(np.arange(len(rows)) + 0.5, [f"{data.label(g)}, {_library(lib)}" for lib, g in rows])
    for axes in grid[-1]:
        axes.set_xlabel("real part of the eigenvalues times horizon;\nin brackets the real part", fontsize=8)
    seen = {status if status in ENDS else "other" for status in table["status"]}
    handles = [Patch(color=color, label=name) for s, (color, _, name) in ENDS.items() if s in seen]
    legend_below(figure, handles)
    return figure


def caption(data: FigureData) -> str:
    table, shares = _table(data), data.table(SHARES)
    crashed = table[table["status"] == "step_size_underflow"]
    if crashed.empty:
        text = sentence(f"none of {counted(len(table), 'gradient')} ended in an underflow of the step size")
    else:
        who = " and ".join(sorted({data.label(g) for g in crashed["gradient"]}))
        loss = " and ".join(data.label(x, "loss") for x in in_order(crashed, "loss"))
        text = sentence(
            f"{len(crashed)} of {counted(len(table), 'gradient')} ended in an underflow of the step size, all of them "
            f"with: {who}; loss: {loss}; eigenvalue times horizon from {number(crashed['growth'].min(), 3)} on"
        )
    mine = shares[(shares["factor"] == "combination") & (shares["problem"] == PROBLEM)]
    said = [
        f"{_combination(data, r['level'])} ({_library(r['library'])}, {data.label(r['precision'], 'precision')}) "
        f"{estimate(data, r, 'crash_finite_pct')}"
        for _, r in mine.iterrows()
        if r["crash_finite_pct"] > 0
    ]
    others = shares[(shares["factor"] == "all") & (shares["problem"] != PROBLEM)]
    controls = [
        f"{data.label(r['problem'], 'problem')} ({_library(r['library'])}, {data.label(r['precision'], 'precision')}) {number(r['crash_pct'])} %"
        for _, r in others.iterrows()
    ]
    text += (
        f" Share of underflows among what stays finite, where it is not zero: {listing(said)}."
        if said
        else ""
    )
    text += f" Controls, over all combinations: {listing(controls)}." if controls else ""
    seeds = int(table["seed"].nunique())
    if seeds > 1:
        text += f" A cell shows how most of up to {seeds} seeds end; where they differ, a number says how many do so."
    return text


def alt(data: FigureData) -> str:
    table = _table(data)
    return (
        f"Grids of coloured cells, a panel for each arithmetic and scale of the loss, a row for each of "
        f"{counted(len(_rows(table)), 'way')} to compute the gradient, columns by eigenvalue times horizon; cells that "
        "end in an underflow are red and marked u."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    table = table[table["problem"] == PROBLEM] if not table.empty else table
    if table.empty:
        raise NothingToShow("no gradient was computed")
    return table


def _rows(table: pd.DataFrame) -> list[tuple[str, str]]:
    found = table[["library", "gradient"]].drop_duplicates().itertuples(index=False)
    return sorted((tuple(r) for r in found), key=lambda r: r[0] != "torchdiffeq")


def _combination(data: FigureData, level: str) -> str:
    gradient, loss = level.split(", ")
    return f"{data.label(gradient)}, {data.label(loss, 'loss')}"


def _library(name: str) -> str:
    return "ours" if name == "odestudy" else name


def _panel(axes: Axes, table: pd.DataFrame, rows: list[tuple[str, str]]) -> None:
    points = table[["growth", "rate"]].drop_duplicates().sort_values(["growth", "rate"])
    columns = [tuple(p) for p in points.itertuples(index=False)]
    codes = np.full((len(rows), len(columns)), np.nan)
    names = list(ENDS)
    for _, cell in table.groupby(["library", "gradient", "growth", "rate"]):
        library, gradient, growth, rate = cell.iloc[0][["library", "gradient", "growth", "rate"]]
        at = rows.index((library, gradient)), columns.index((growth, rate))
        counts = cell["status"].where(cell["status"].isin(list(ENDS)), "other").value_counts()
        status = str(counts.index[0])
        codes[at] = names.index(status)
        axes.text(
            at[1],
            at[0],
            ENDS[status][1] if len(counts) == 1 else f"{ENDS[status][1] or 'w'}{counts.iloc[0]}",
            ha="center",
            va="center",
            fontsize=7,
            color="white",
            fontweight="bold",
        )
    colours: Any = ListedColormap([color for color, _, _ in ENDS.values()])
    norm = BoundaryNorm(np.arange(len(names) + 1) - 0.5, len(names))
    axes.pcolormesh(
        np.ma.masked_invalid(codes), cmap=colours, norm=norm, edgecolors="white", linewidth=0.8, alpha=0.9
    )
    for text in axes.texts:
        x, y = text.get_position()
        text.set_position((x + 0.5, y + 0.5))
    for row in np.flatnonzero(np.isnan(codes).all(axis=1)):
        axes.text(
            len(columns) / 2,
            row + 0.5,
            "not run at this tier",
            ha="center",
            va="center",
            fontsize=7,
            color=GREY,
        )
    axes.set_xticks(np.arange(len(columns)) + 0.5, [f"{g:g}\n({rate:g})" for g, rate in columns], fontsize=6)
    axes.tick_params(length=0)
    axes.set_ylim(len(rows), 0)
    axes.grid(False)
