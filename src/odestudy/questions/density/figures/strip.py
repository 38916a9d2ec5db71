"""A flow on its way from the base to the data: frames of its density, the paths of points, and the same in motion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData
from odestudy.figures.style import BLACK, WIDTH, canvas
from odestudy.figures.words import listing, quantity
from odestudy.questions.density.figures._pictures import flows, paint, scatter, two_lines

SHOWS = {
    "title": "The flow from the base to the data",
    "tables": ["density_models", "density_curve"],
    "arrays": ["models", "limits", "curve", "curve_long", "curve_targets"],
    "animated": True,
}

MOST_TARGETS, MOST_MOVING = 3, 2
STILLS = 6
LAST_FRAMES = 5


def draw(data: FigureData) -> Figure:
    found = flows(data, MOST_TARGETS, "frames")
    figure, grid = canvas(len(found), STILLS + 1, height=WIDTH / (STILLS + 1) * 1.12)
    for row, (target, (_, arrays)) in zip(grid, found.items(), strict=True):
        half, top = float(arrays["extent"]), float(arrays["target"].max())
        moments = np.linspace(0, len(arrays["frames"]) - 1, STILLS).round().astype(int)
        for axes, k in zip(row, moments, strict=False):
            _density(axes, arrays, k, half, top)
            axes.set_title(f"t = {arrays['frame_t'][k]:.2g}", fontsize=8)
        paint(row[-1], arrays["target"], half, top)
        _ways(row[-1], arrays["paths"])
        row[-1].set_title("paths", fontsize=8)
        row[0].set_ylabel(two_lines(data.label(target)), fontsize=8)
    return figure


def animate(data: FigureData) -> FuncAnimation:
    """Target, samples and density side by side, one row a target; the last frame stays for a while."""
    found = flows(data, MOST_MOVING, "frames")
    frames = min(len(arrays["frames"]) for _, arrays in found.values())
    figure, grid = canvas(len(found), 3, height=WIDTH / 3 * 1.05)

    def show(k: int) -> list[Any]:
        k = min(k, frames - 1)
        for row, (target, (_, arrays)) in zip(grid, found.items(), strict=True):
            half, top = float(arrays["extent"]), float(arrays["target"].max())
            for axes in row:
                axes.clear()
            paint(row[0], arrays["target"], half, top)
            scatter(row[1], arrays["drifting"][k], half)
            _density(row[2], arrays, k, half, top)
            moment = f"t = {arrays['frame_t'][k]:.2f}"
            for axes, title in zip(
                row, (data.label(target), f"samples, {moment}", f"density, {moment}"), strict=True
            ):
                axes.set_title(title, fontsize=8.5)
        return []

    return FuncAnimation(figure, show, frames=frames + LAST_FRAMES)


def caption(data: FigureData) -> str:
    found = flows(data, MOST_TARGETS, "frames")
    off = [
        f"{quantity(data, 'off_support_pct', row['off_support_pct'])} ({data.label(target)})"
        for target, (row, _) in found.items()
        if pd.notna(row["off_support_pct"])
    ]
    left = f": off the target's support lie {listing(off)} of its samples" if off else ""
    return (
        f"The flow deforms its round base into the target and tears nothing apart{left}. Time runs from the standard "
        "normal base at t = 1 to the data at t = 0; the first seed. Each frame has its own scale of colour up to the "
        "target's peak. Right, the paths of samples of the target over its density, dots where they start."
    )


def alt(data: FigureData) -> str:
    found = flows(data, MOST_TARGETS, "frames")
    return (
        f"Rows of small maps for {listing(map(data.label, found))}: a round density at the left deforms from frame to "
        "frame into the target, which the last map shows with white lines for the paths of single points."
    )


def _density(axes: Axes, arrays: dict[str, np.ndarray], k: int, half: float, top: float) -> None:
    frame = arrays["frames"][k]
    paint(axes, frame, half, min(top, float(frame.max())))


def _ways(axes: Axes, paths: np.ndarray) -> None:
    for i in range(paths.shape[1]):
        axes.plot(*paths[:, i].T, color="white", linewidth=0.5, alpha=0.8)
    axes.plot(*paths[0].T, ".", color="white", markeredgecolor=BLACK, markeredgewidth=0.3, markersize=3.5)
