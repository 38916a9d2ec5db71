"""Pictures of a fit: the portrait with the learnt field, and the forecasts over time."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.style import GREY, ORANGE, SETTINGS, SKY, canvas, legend_below
from odestudy.fit.headings import ranges, slopes
from odestudy.fit.observations import Table
from odestudy.text import one_line

MOST_PATHS = 12  # trajectories drawn
MOST_COMPONENTS = 6
ARROWS = 16  # on each side of the portrait
MARGIN = 0.25  # around the observations, of their range
PALE = "#cfd8dc"


def draw_portrait(table: Table, field: pd.DataFrame, forecast: pd.DataFrame, path: Path) -> None:
    """The first two components with the field as arrows (of a plane system), or slope against state (d = 1)."""
    with mpl.rc_context(SETTINGS):
        figure, grid = canvas(1, 1, height=4.2)
        if table.d == 1:
            _line(grid[0, 0], table, field)
        else:
            _plane(grid[0, 0], table, field, forecast)
        _save(figure, path)


def _line(axes: Axes, table: Table, field: pd.DataFrame) -> None:
    """Slope against state, the spread of the models as a band, and where the observations are."""
    state, (slope, spread) = table.columns[0].header, slopes(table.columns, table.time)[0]
    half = field[spread] / 2
    axes.plot(field[state], field[slope], color=ORANGE)
    ends = field[slope] - half, field[slope] + half
    axes.fill_between(field[state], *ends, color=ORANGE, alpha=0.2, linewidth=0)
    axes.plot(np.concatenate(table.y)[:, 0], np.zeros(sum(map(len, table.y))), "|", color=GREY)
    axes.set(xlabel=_label(state), ylabel=_label(f"learnt {slope}"))


def _plane(axes: Axes, table: Table, field: pd.DataFrame, forecast: pd.DataFrame) -> None:
    """Observations and learnt trajectories over the first two components, and in the plane the field."""
    first, second = (column.header for column in table.columns[:2])
    if table.d == 2:
        _arrows(axes, table, field)
    for name, y in list(zip(table.names, table.y, strict=True))[:MOST_PATHS]:
        mine = forecast[(forecast["trajectory"].astype(str) == name) & ~forecast["beyond"]]
        axes.plot(mine[first], mine[second], color=ORANGE, linewidth=1.2)
        axes.plot(y[:, 0], y[:, 1], ".", color=GREY, markersize=3.5)
    states = np.concatenate(table.y)[:, :2]
    axes.set(xlim=_around(states[:, 0]), ylim=_around(states[:, 1]))
    axes.set(xlabel=_label(first), ylabel=_label(second))
    axes.grid(False)


def _arrows(axes: Axes, table: Table, field: pd.DataFrame) -> None:
    """Directions of the field, pale where no data are near; lengths differ too much to be seen."""
    names = [column.header for column in table.columns]
    x, y = (np.sort(field[name].unique()) for name in names)
    thin = field[
        field[names[0]].isin(x[:: max(1, len(x) // ARROWS)])
        & field[names[1]].isin(y[:: max(1, len(y) // ARROWS)])
    ]
    size = np.array([np.ptp(x), np.ptp(y)])
    slope = thin[[name for name, _ in slopes(table.columns, table.time)]].to_numpy() / size
    arrows = slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-300)
    for near, color in ((True, SKY), (False, PALE)):
        rows = thin["supported"].to_numpy() == near
        where = thin[names][rows].to_numpy().T
        # ASSUME: the axes show about the grid's range, so that turning by its ratio is turning on the paper.
        axes.quiver(*where, *arrows[rows].T, color=color, angles="uv", scale=30, width=0.0028, pivot="mid")


def draw_forecast(table: Table, forecast: pd.DataFrame, path: Path) -> None:
    """Each component over time for the first trajectory, the range of the models as a band."""
    name, t, y, when = table.names[0], table.t[0], table.y[0], table.time.header
    mine = forecast[forecast["trajectory"].astype(str) == name]
    shown = min(table.d, MOST_COMPONENTS)
    with mpl.rc_context(SETTINGS):
        figure, grid = canvas(shown, 1, height=max(1.3, 3.2 / shown), sharex=True)
        for i, (axes, ends) in enumerate(zip(grid[:, 0], ranges(table.columns), strict=False)):
            header = table.columns[i].header
            band = (mine[end] for end in ends)
            axes.fill_between(mine[when], *band, color=ORANGE, alpha=0.25, linewidth=0)
            axes.plot(mine[when], mine[header], color=ORANGE)
            axes.plot(t, y[:, i], ".", color=GREY, markersize=3.5)
            axes.axvline(t[-1], color="black", linewidth=0.7)
            axes.set(ylabel=_label(header), ylim=_around(y[:, i]))
        grid[-1, 0].set_xlabel(_label(when))
        if len(table.names) > 1:
            grid[0, 0].set_title(_label(f"trajectory {name}"))
        said = "forecast from the first of them, median and range of the models"
        handles = [
            Line2D([], [], color=GREY, marker=".", linestyle="none", label="observations"),
            Line2D([], [], color=ORANGE, label=said),
        ]
        legend_below(figure, handles)
        _save(figure, path)


def _around(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    pad = MARGIN * (high - low) or MARGIN * max(abs(high), 1.0)
    return low - pad, high + pad


def _label(text: str) -> str:
    """A name of the file as a label, no part of it taken for mathematics."""
    return one_line(text, 40).replace("$", r"\$")


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=120, metadata={"Software": None})
