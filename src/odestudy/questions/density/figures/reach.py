"""Paths of two points that are to be exchanged, and where flows carry a disc and the ring around it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.style import BLUE, DASHED, GREY, RED, canvas, legend_below
from odestudy.figures.words import counted, listing, quantity, sentence

SHOWS = {
    "title": "An exchange of two points and two nested spheres, with and without an added dimension",
    "tables": ["density_reach"],
    "arrays": ["reach_fine", "reach_coarse"],
}

TABLE = "density_reach"
MOST = 4
LIMITS = (-2.0, 2.0)
Shown = list[tuple[pd.Series, dict[str, np.ndarray]]]
MARKERS = {"trained": "o", "refined": ""}


def draw(data: FigureData) -> Figure:
    shown, spheres = _shown(data), _spheres(data)
    figure, grid = canvas(2 if spheres else 1, max(len(shown), len(spheres)), height=2.6)
    for axes, (row, arrays) in zip(grid[0], shown, strict=False):
        for kind, style in (("trained", "-"), ("refined", DASHED)):
            paths = arrays[kind]
            t = np.linspace(0, 1, len(paths))
            for i, color in enumerate((BLUE, RED)):
                axes.plot(t, paths[:, i], color=color, linestyle=style, marker=MARKERS[kind], markersize=4)
        for goal in (-1, 1):
            axes.axhline(goal, color=GREY, linewidth=0.7, zorder=0)
        axes.set(xlabel="t", ylim=LIMITS)
        _title(data, axes, row)
    for axes, (row, arrays) in zip(grid[-1], spheres, strict=False):
        for side, color in ((-1, BLUE), (1, RED)):
            points = arrays["end"][arrays["side"] == side]
            axes.plot(*points.T, ".", color=color, markersize=2, markeredgewidth=0, rasterized=True)
        axes.set(aspect="equal", adjustable="datalim", xlabel="first coordinate")
        _title(data, axes, row)
    for axes in [*grid[0, len(shown) :], *(grid[1, len(spheres) :] if spheres else [])]:
        axes.set_axis_off()
    grid[0, 0].set_ylabel("first coordinate")
    if spheres:
        grid[1, 0].set_ylabel("second coordinate")
    handles: list[Any] = [
        Line2D([], [], color=BLUE, label="from 1 to go to −1; the disc"),
        Line2D([], [], color=RED, label="from −1 to go to 1; the ring"),
        Line2D([], [], color=GREY, marker="o", markersize=4, label="as trained"),
        Line2D([], [], color=GREY, linestyle=DASHED, label="refined solver"),
    ]
    legend_below(figure, handles, columns=2)
    return figure


def caption(data: FigureData) -> str:
    summary = data.table(f"{TABLE}_summary")
    seeds = counted(int(data.table(TABLE)["seed"].nunique()), "seed")
    text = sentence(
        "squared error of the exchange with a refined solver, "
        + "; ".join(_said(data, summary, _shown(data)))
    )
    spheres = _spheres(data)
    if spheres:
        below = "; ".join(_said(data, summary, spheres))
        text += " " + sentence(f"of the spheres, shown where a refined solver carries them, {below}")
    gate = "In brackets the seeds that pass the refinement gate; where none does, what was trained is no ODE."
    return f"{text} {gate} Over {seeds}, geometric mean; pictures of the first seed. The table has the errors as trained."


def alt(data: FigureData) -> str:
    names = listing(_name(data, row) for row, _ in _shown(data))
    return (
        f"Panels for {names}: the first coordinate of two points over time, as trained and with a refined solver. Below, "
        "where there are such panels, the points of a disc and of the ring around it where the flow has carried them."
    )


def _said(data: FigureData, summary: pd.DataFrame, shown: Shown) -> list[str]:
    said = []
    for row, _ in shown:
        mean = summary
        for axis in ("problem", "train_method", "augment"):
            mean = mean[mean[axis] == row[axis]]
        one = mean.iloc[0]
        passed = f"{round(one['is_ode'] * one['ok'])} of {one['runs']}"
        said.append(f"{_name(data, row)}: {quantity(data, 'refined_mse', one['refined_mse'])} ({passed})")
    return said


def _title(data: FigureData, axes: Axes, row: pd.Series) -> None:
    axes.set_title(_name(data, row).replace(", ", ",\n"), fontsize=8.5)


def _name(data: FigureData, row: pd.Series) -> str:
    step = data.label(row["train_method"], "train_method")
    added = "nothing" if row["augment"] == 0 else counted(int(row["augment"]), "dimension")
    return f"{step}, {added} added"


def _shown(data: FigureData) -> Shown:
    """The first seed of each flow that was to exchange the points; the single steps with nothing added only."""
    found = _first_seeds(data, "exchange", "trained")
    if not found:
        raise NothingToShow("no exchange was learnt")
    return found[-MOST:]


def _spheres(data: FigureData) -> Shown:
    return _first_seeds(data, "spheres", "end")[-MOST:]


def _first_seeds(data: FigureData, problem: str, array: str) -> Shown:
    table = data.table(TABLE)
    found = []
    for _, rows in table[table["problem"] == problem].groupby(["train_method", "augment"], sort=False):
        row = rows.iloc[0]
        arrays = data.arrays(row["job"]) if row["job"] in data.metrics else {}
        if array in arrays and (row["train_method"] != "euler" or row["augment"] == 0):
            found.append((row, arrays))
    return found
