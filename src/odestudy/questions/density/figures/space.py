"""Flows in space: samples with their density beside the target's, cuts through both, and the same in motion."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData
from odestudy.figures.style import WIDTH
from odestudy.figures.words import listing, number, quantity
from odestudy.questions.density.figures._pictures import Shown, flows, paint

SHOWS = {
    "title": "Flows in space",
    "tables": ["density_models"],
    "arrays": ["space"],
    "animated": True,
}

MOST_TARGETS = 2
LAST_FRAMES = 7
CUT_OPEN = ("shells",)  # targets whose inside their outside would hide
TITLES = ("target", "flow", "target, cut", "flow, cut")
VIEW: dict[str, Any] = {"elev": 22, "azim": 35}


def draw(data: FigureData) -> Figure:
    found = _shown(data)
    figure = Figure(figsize=(WIDTH, 2.0 * len(found)), layout="constrained")
    for i, (target, (_, arrays)) in enumerate(found.items()):
        half, top = float(arrays["extent"]), float(arrays["target"].max())
        for j, points in enumerate((arrays["expected"], arrays["drifting"][-1])):
            axes: Any = figure.add_subplot(len(found), 4, 4 * i + j + 1, projection="3d")
            axes.view_init(**VIEW)
            _cloud(axes, points, half, opened=target in CUT_OPEN)
        for j, name in enumerate(("target", "density")):
            cut = figure.add_subplot(len(found), 4, 4 * i + j + 3)
            paint(cut, arrays[name], half, top)
        for axes, title in zip(figure.axes[4 * i :], TITLES, strict=True):
            axes.set_title(f"{data.label(target)}\n{title}" if title == "target" else title, fontsize=8)
    return figure


def animate(data: FigureData) -> FuncAnimation:
    """The target beside the samples on their way from the base, while both turn."""
    found = _shown(data)
    frames = min(len(arrays["drifting"]) for _, arrays in found.values())
    figure = Figure(figsize=(WIDTH, 3.1 * len(found)), layout="constrained")
    panels: list[Any] = [
        figure.add_subplot(len(found), 2, i + 1, projection="3d") for i in range(2 * len(found))
    ]

    def show(step: int) -> list[Any]:
        k = min(step, frames - 1)
        for i, (target, (_, arrays)) in enumerate(found.items()):
            half, (left, right) = float(arrays["extent"]), panels[2 * i : 2 * i + 2]
            for axes in (left, right):
                axes.clear()
                axes.view_init(VIEW["elev"], VIEW["azim"] + 5 * step)
            _cloud(left, arrays["expected"], half, opened=target in CUT_OPEN)
            _cloud(right, arrays["drifting"][k], half, opened=target in CUT_OPEN)
            left.set_title(data.label(target), fontsize=9)
            right.set_title(f"flow, t = {arrays['frame_t'][k]:.2f}", fontsize=9)
        return []

    return FuncAnimation(figure, show, frames=frames + LAST_FRAMES)


def caption(data: FigureData) -> str:
    rows = {target: row for target, (row, _) in _shown(data).items()}
    away = [
        f"{quantity(data, 'excess_nat', row['excess_nat'])} on {data.label(target)}"
        for target, row in rows.items()
    ]
    masses = [
        f"{number(row['mass'], 3)} with a standard error of {number(row['mass_error'], 1)}"
        for row in rows.values()
    ]
    text = f"In space the NLL of the flow is above the true entropy by {listing(away)}; its density integrates to {listing(masses)}."
    hollow = [data.label(target) for target in rows if target in CUT_OPEN]
    opened = (
        f" Of {listing(hollow)} only the half behind the middle is shown, so that the inside is seen."
        if hollow
        else ""
    )
    return (
        f"{text} Left, samples of target and flow, coloured by their distance from the middle.{opened} Right, both "
        "densities on a cut through the origin, on one scale of colour. The first seed."
    )


def alt(data: FigureData) -> str:
    return (
        f"For {listing(map(data.label, _shown(data)))}: clouds of points in space, the target's and the flow's, the inside of hollow ones laid open, and "
        "maps of both densities on a plane through the middle."
    )


def _cloud(axes: Any, points: np.ndarray, half: float, *, opened: bool) -> None:
    """Samples (n, 3), coloured by their distance from the middle; where opened without those before it."""
    if opened:
        points = points[points @ _towards_reader(axes) < 0]
    reach = 0.75 * half
    axes.scatter(
        *points.T, c=np.linalg.norm(points, axis=1), cmap="cividis", vmin=0, vmax=reach, s=2.5, linewidths=0,
        depthshade=False, rasterized=True,
    )  # fmt: skip
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), zlim=(-reach, reach))
    axes.set_box_aspect((1, 1, 1), zoom=1.35)
    axes.set_axis_off()


def _towards_reader(axes: Any) -> np.ndarray:
    """The direction from which axes are seen, a unit vector."""
    up, around = np.radians(axes.elev), np.radians(axes.azim)
    return np.array([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)])


def _shown(data: FigureData) -> Shown:
    return flows(data, MOST_TARGETS, "drifting_log")
