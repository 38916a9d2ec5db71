"""Pictures of a fit: the portrait with the learnt field, and the forecasts over time."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.style import GREY, ORANGE, SETTINGS, SKY, canvas, legend_below
from odestudy.fit.observations import Table

MOST_PATHS = 12  # trajectories drawn
MOST_COMPONENTS = 6
ARROWS = 16  # on each side of the portrait
MARGIN = 0.25  # around the observations, of their range


def draw_portrait(table: Table, field: pd.DataFrame, forecast: pd.DataFrame, path: Path) -> None:
    """The first two components with the field as arrows (of a plane system), or slope against state (d = 1)."""
    with mpl.rc_context(SETTINGS):
        figure, grid = canvas(1, 1, height=4.2)
        axes = grid[0, 0]
        if table.d == 1:
            axes.plot(field["y1"], field["dy1"], color=ORANGE)
            axes.fill_between(
                field["y1"],
                field["dy1"] - field["dy1_spread"] / 2,
                field["dy1"] + field["dy1_spread"] / 2,
                color=ORANGE,
                alpha=0.2,
                linewidth=0,
            )
            axes.plot(np.concatenate(table.y)[:, 0], np.zeros(sum(map(len, table.y))), "|", color=GREY)
            axes.set(xlabel="y1", ylabel="learnt dy1/dt")
        else:
            _plane(figure, table, field, forecast)
        figure.savefig(path, dpi=150)


def _plane(figure: Figure, table: Table, field: pd.DataFrame, forecast: pd.DataFrame) -> None:
    axes = figure.axes[0]
    if table.d == 2:
        x, y = (np.sort(field[c].unique()) for c in ("y1", "y2"))
        thin = field[
            field["y1"].isin(x[:: max(1, len(x) // ARROWS)])
            & field["y2"].isin(y[:: max(1, len(y) // ARROWS)])
        ]
        slope = thin[["dy1", "dy2"]].to_numpy() / np.array([np.ptp(x), np.ptp(y)])
        length = np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-300)
        arrows = (
            slope / length * np.array([np.ptp(x), np.ptp(y)])
        )  # directions; lengths differ too much to be seen
        for near, color in ((True, SKY), (False, "#cfd8dc")):
            rows = thin["supported"].to_numpy() == near
            axes.quiver(
                thin["y1"][rows], thin["y2"][rows], *arrows[rows].T, color=color, angles="xy", scale=24,
                scale_units="x", width=0.0028,
            )  # fmt: skip
    for name, y in list(zip(table.names, table.y, strict=True))[:MOST_PATHS]:
        mine = forecast[(forecast["trajectory"].astype(str) == name) & ~forecast["beyond"]]
        axes.plot(mine["y1"], mine["y2"], color=ORANGE, linewidth=1.2)
        axes.plot(y[:, 0], y[:, 1], ".", color=GREY, markersize=3.5)
    states = np.concatenate(table.y)[:, :2]
    low, high = states.min(axis=0), states.max(axis=0)
    pad = MARGIN * np.maximum(high - low, 1e-9)
    axes.set(xlim=(low[0] - pad[0], high[0] + pad[0]), ylim=(low[1] - pad[1], high[1] + pad[1]))
    axes.set(xlabel="y1", ylabel="y2")
    axes.grid(False)


def draw_forecast(table: Table, forecast: pd.DataFrame, path: Path) -> None:
    """Each component over time for the first trajectory, the range of the models as a band."""
    name, t, y = table.names[0], table.t[0], table.y[0]
    mine = forecast[forecast["trajectory"].astype(str) == name]
    shown = min(table.d, MOST_COMPONENTS)
    with mpl.rc_context(SETTINGS):
        figure, grid = canvas(shown, 1, height=max(1.3, 3.2 / shown), sharex=True)
        for i, axes in enumerate(grid[:, 0]):
            axes.fill_between(
                mine["t"],
                mine[f"y{i + 1}_low"],
                mine[f"y{i + 1}_high"],
                color=ORANGE,
                alpha=0.25,
                linewidth=0,
            )
            axes.plot(mine["t"], mine[f"y{i + 1}"], color=ORANGE)
            axes.plot(t, y[:, i], ".", color=GREY, markersize=3.5)
            axes.axvline(t[-1], color="black", linewidth=0.7)
            low, high = y[:, i].min(), y[:, i].max()
            pad = MARGIN * max(high - low, 1e-9)
            axes.set(ylabel=f"y{i + 1}", ylim=(low - pad, high + pad))
        grid[-1, 0].set_xlabel("t")
        grid[0, 0].set_title(f"trajectory {name}")
        handles = [
            Line2D([], [], color=GREY, marker=".", linestyle="none", label="observations"),
            Line2D(
                [], [], color=ORANGE, label="forecast from the first of them, median and range of the models"
            ),
        ]
        legend_below(figure, handles)
        figure.savefig(path, dpi=150)
