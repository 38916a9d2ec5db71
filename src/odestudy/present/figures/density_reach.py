"""The ways of two points that are to be exchanged: as trained, and with a refined solver."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.present.figures.base import FigureData, NothingToShow
from odestudy.present.figures.style import BLUE, DASHED, GREY, RED, canvas, legend_below
from odestudy.present.figures.words import counted, estimate, listing, sentence

TABLE = "density_reach"
MOST = 4
MARKERS = {"trained": "o", "refined": ""}


def draw(data: FigureData) -> Figure:
    shown = _shown(data)
    figure, grid = canvas(1, len(shown), height=2.6, sharey=True)
    for axes, (row, arrays) in zip(grid[0], shown, strict=True):
        for kind, style in (("trained", "-"), ("refined", DASHED)):
            ways = arrays[kind]
            t = np.linspace(0, 1, len(ways))
            for i, color in enumerate((BLUE, RED)):
                axes.plot(t, ways[:, i], color=color, linestyle=style, marker=MARKERS[kind], markersize=4)
        for goal in (-1, 1):
            axes.axhline(goal, color=GREY, linewidth=0.7, zorder=0)
        axes.set(title=_name(data, row).replace(", ", ",\n"), xlabel="t")
        axes.title.set_fontsize(8.5)
    grid[0, 0].set_ylabel("first coordinate")
    handles: list[Any] = [
        Line2D([], [], color=BLUE, label="from 1, to go to −1"),
        Line2D([], [], color=RED, label="from −1, to go to 1"),
        Line2D([], [], color=GREY, marker="o", markersize=4, label="as trained"),
        Line2D([], [], color=GREY, linestyle=DASHED, label="refined solver"),
    ]
    legend_below(figure, handles)
    return figure


def caption(data: FigureData) -> str:
    summary = data.table(f"{TABLE}_summary")
    said = []
    for row, _ in _shown(data):
        mean = summary[(summary["problem"] == "exchange") & (summary["train_method"] == row["train_method"])]
        mean = mean[mean["augment"] == row["augment"]].iloc[0]
        trained, refined = (estimate(data, mean, column) for column in ("mse", "refined_mse"))
        said.append(f"{_name(data, row)}: {trained} as trained, {refined} refined")
    seeds = counted(int(data.table(TABLE)["seed"].nunique()), "seed")
    return f"{sentence('mean squared error, ' + '; '.join(said))} Over {seeds}, geometric mean; the ways are the first seed's."


def alt(data: FigureData) -> str:
    names = listing(_name(data, row) for row, _ in _shown(data))
    return (
        f"Panels for {names}: the first coordinate of two points over time, as trained and with a refined solver; "
        "without an added dimension the refined ways never cross."
    )


def _name(data: FigureData, row: pd.Series) -> str:
    step = "one Euler step" if row["train_method"] == "euler" else f"{data.label(row['train_method'])} steps"
    added = "nothing" if row["augment"] == 0 else counted(int(row["augment"]), "dimension")
    return f"{step}, {added} added"


def _shown(data: FigureData) -> list[tuple[pd.Series, dict[str, np.ndarray]]]:
    """The first seed of each flow that was to exchange the points; the single steps with nothing added only."""
    table = data.table(TABLE)
    found = []
    for _, rows in table[table["problem"] == "exchange"].groupby(["train_method", "augment"], sort=False):
        row = rows.iloc[0]
        arrays = data.arrays(row["job"]) if row["job"] in data.metrics else {}
        if "trained" in arrays and (row["train_method"] != "euler" or row["augment"] == 0):
            found.append((row, arrays))
    if not found:
        raise NothingToShow("no exchange was learnt")
    return found[-MOST:]
