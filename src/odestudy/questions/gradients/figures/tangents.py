"""A tangent vector carried forward along a trajectory in space, a cotangent carried back, and their product."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure

from odestudy.analysis.values import chosen
from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.style import BLACK, BLUE, GREY, ORANGE, RED, WIDTH, legend_below
from odestudy.figures.words import number, sentence

SHOWS = {
    "title": "A tangent pushed forward and a cotangent pulled back",
    "tables": ["gradients_blocks"],
    "arrays": ["identities"],
    "animated": True,
}
TABLE = "gradients_blocks"  # rows of the same job
ARROWS = 9
LENGTH = 9.0  # of the arrows, in units of the state
LAST_FRAMES = 8
STATE = ("x", "y", "z")  # of the Lorenz system
LABELS = {"tangent": "tangent, pushed forward", "cotangent": "cotangent, pulled back"}
COLOURS = {"tangent": BLUE, "cotangent": ORANGE}


def draw(data: FigureData) -> Figure:
    arrays = _arrays(data)
    figure = Figure(figsize=(WIDTH, 3.7), layout="constrained")
    space = figure.add_subplot(1, 2, 1, projection="3d")
    axes = figure.add_subplot(1, 2, 2)
    _space(space, arrays)
    shown = np.unique(np.linspace(0, len(arrays["t"]) - 1, ARROWS).round().astype(int))
    for name in LABELS:
        _arrows(space, arrays, name, shown)
    _pairings(axes, arrays)
    legend_below(figure, [*space.get_legend_handles_labels()[0], *axes.get_legend_handles_labels()[0]], 2)
    return figure


def animate(data: FigureData) -> FuncAnimation:
    """The tangent on its way forward and the cotangent on its way back; the last frame stays for a while."""
    arrays = _arrays(data)
    figure = Figure(figsize=(WIDTH * 0.7, 3.7), layout="constrained")
    space = figure.add_subplot(projection="3d")
    frames = np.arange(0, len(arrays["t"]), 2)

    def show(k: int) -> list[Any]:
        space.clear()
        _space(space, arrays)
        at = int(frames[min(k, len(frames) - 1)])
        for name, index in (("tangent", at), ("cotangent", len(arrays["t"]) - 1 - at)):
            _arrows(space, arrays, name, np.array([index]))
        space.legend(loc="upper left", fontsize=8)
        return []

    return FuncAnimation(figure, show, frames=len(frames) + LAST_FRAMES)


def _space(space: Any, arrays: dict[str, np.ndarray]) -> None:
    space.plot(*arrays["state"].T, color=GREY, linewidth=0.8)
    for axis, name in zip((space.xaxis, space.yaxis, space.zaxis), STATE, strict=True):
        axis.set_ticklabels([])
        axis.set_label_text(name, fontsize=8)
        axis.labelpad = -12
        axis.set_pane_color((1, 1, 1, 0))
    space.set_box_aspect(None, zoom=1.15)
    space.set_title("directions along the trajectory", fontsize=9)


def _arrows(space: Any, arrays: dict[str, np.ndarray], name: str, at: np.ndarray) -> None:
    """Directions only: the lengths span decades."""
    unit = arrays[name][at] / np.linalg.norm(arrays[name][at], axis=1, keepdims=True)
    space.quiver(*arrays["state"][at].T, *(LENGTH * unit).T, color=COLOURS[name], linewidth=1.4, label=LABELS[name],
                 arrow_length_ratio=0.25)  # fmt: skip


def _pairings(axes: Any, arrays: dict[str, np.ndarray]) -> None:
    t, (discrete, adjoint) = arrays["t"], _products(arrays)
    axes.plot(t, discrete, color=BLACK, label="cotangent by the transposed steps")
    axes.plot(t, adjoint, color=RED, linestyle="--", label="cotangent by the adjoint ODE")
    reach = float(np.abs(discrete).max())
    axes.set(ylim=(-1.5 * reach, 2.5 * reach), xlabel="t", ylabel="cotangent · tangent")
    axes.set_title("their product along the way", fontsize=9)


def _products(arrays: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return tuple((arrays[name] * arrays["tangent"]).sum(1) for name in ("cotangent", "adjoint"))


def caption(data: FigureData) -> str:
    arrays = _arrays(data)
    discrete, adjoint = _products(arrays)
    drift = float(np.abs(discrete / discrete[-1] - 1).max())
    off = np.abs(adjoint / discrete[-1] - 1)
    lost = np.flatnonzero(~(off < 0.01))
    where = (
        f"is off by more than a hundredth from {number(float(arrays['t'][-1] - arrays['t'][lost[-1]]))} units of time before the end"
        if len(lost)
        else "stays within a hundredth, too"
    )
    text = sentence(
        f"the product of cotangent and tangent is the same all along to {number(drift)}, relative, when both belong to the "
        f"computed steps; with the adjoint ODE, whose state is solved back, it {where}"
    )
    return (
        f"{text} {_end(arrays['t'], adjoint)} The Lorenz system, RK4 steps; arrows show directions, not lengths. The "
        f"adjoint by dopri5 at {chosen(float(arrays['adjoint_rtol']))}."
    )


def _end(t: np.ndarray, adjoint: np.ndarray) -> str:
    """Where the adjoint's line ends: its solve runs back from the last time and need not arrive."""
    known = np.isfinite(adjoint)
    if known.all():
        return ""
    return f"That solve, which begins at t = {number(float(t[-1]))}, fails before t = {number(float(t[known].min()))}, where its line ends."


def alt(data: FigureData) -> str:
    return (
        "Left a trajectory in space with arrows of tangents and cotangents along it; right the product of the two against "
        "time, one line for the transposed steps and one for the adjoint ODE."
    )


def _arrays(data: FigureData) -> dict[str, np.ndarray]:
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("no tangent was carried")
    return data.arrays(str(table["job"].iloc[0]))
