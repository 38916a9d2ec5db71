"""Pictures of a density that was fitted to points: on the line, in the plane, in space and beyond."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from odestudy.densities.normal import standard_normal
from odestudy.densities.transport import Grid, log_density, path
from odestudy.figures.style import BLUE, GREY, ORANGE, WIDTH, canvas
from odestudy.points.fit import FittedPoints
from odestudy.points.grid import box
from odestudy.text import one_line

SHOWN, MOST_MARGINALS = 1500, 8
FRAMES, LAST_FRAMES, SIDE = 16, 10, 64
DOTS: dict[str, Any] = {
    "marker": ".",
    "linestyle": "none",
    "markersize": 2,
    "markeredgewidth": 0,
    "rasterized": True,
}


def overview(fitted: FittedPoints, names: Sequence[str]) -> Figure:
    """Points that were not trained on beside density and samples; `names` of the columns."""
    names = [one_line(name, 40).replace("$", r"\$") for name in names]  # no part of a name is mathematics
    drawn = fitted.density.sample(SHOWN, np.random.default_rng(0)).numpy()
    d = drawn.shape[1]
    if d == 1:
        return _on_the_line(fitted, drawn, names[0])
    if d == 2:
        return _in_the_plane(fitted, drawn, names)
    return _marginals(fitted, drawn, names)


def _on_the_line(fitted: FittedPoints, drawn: np.ndarray, name: str) -> Figure:
    figure, grid = canvas(height=2.8)
    where, _ = box(torch.cat([fitted.train, fitted.test]), 400)
    low, high = np.quantile(drawn, [0.0005, 0.9995])
    edges = np.linspace(low, high, 40).tolist()
    for values, color, label in ((drawn, ORANGE, "samples"), (fitted.test.numpy(), GREY, "test points")):
        grid[0, 0].hist(values[:, 0], bins=edges, density=True, histtype="step", color=color, label=label)
    grid[0, 0].plot(where[:, 0], fitted.density.log_prob(where).exp(), color=BLUE, label="density")
    grid[0, 0].set(xlabel=name, ylabel="density", xlim=(low - 0.1 * (high - low), high + 0.1 * (high - low)))
    grid[0, 0].legend()
    return figure


def _in_the_plane(fitted: FittedPoints, drawn: np.ndarray, names: Sequence[str]) -> Figure:
    figure, grid = canvas(1, 3, height=2.7, sharex=True, sharey=True)
    where, _ = box(torch.cat([fitted.train, fitted.test]), 120)
    _map(grid[0, 1], where, fitted.density.log_prob(where).exp(), 120)
    for axes, points, color in ((grid[0, 0], fitted.test.numpy(), GREY), (grid[0, 2], drawn, BLUE)):
        axes.plot(*points[:SHOWN].T, color=color, **DOTS)
    for axes, title in zip(grid[0], ("test points", "density", "samples"), strict=True):
        axes.set(title=title, xlabel=names[0])
        axes.grid(False)
    low, high = fitted.train.amin(0), fitted.train.amax(0)
    low, high = low - 0.2 * (high - low), high + 0.2 * (high - low)
    grid[0, 0].set(
        ylabel=names[1], xlim=(float(low[0]), float(high[0])), ylim=(float(low[1]), float(high[1]))
    )
    return figure


def _marginals(fitted: FittedPoints, drawn: np.ndarray, names: Sequence[str]) -> Figure:
    """Histograms of the first coordinates, points and samples, and both in the plane of their largest variance."""
    test = fitted.test.numpy()
    count = min(drawn.shape[1], MOST_MARGINALS)
    rows = -(-(count + 1) // 3)
    figure, grid = canvas(rows, 3, height=1.9)
    axes: list[Axes] = list(grid.flat)
    for i in range(count):
        low, high = np.quantile(np.concatenate([test[:, i], drawn[:, i]]), [0.001, 0.999])
        edges = np.linspace(low, high, 30).tolist()
        axes[i].hist(drawn[:, i], bins=edges, density=True, histtype="step", color=BLUE, label="samples")
        axes[i].hist(test[:, i], bins=edges, density=True, histtype="step", color=ORANGE, label="test points")
        axes[i].set(xlabel=names[i], yticks=[])
    axes[0].legend(fontsize=7)
    centre = test.mean(0)
    plane = np.linalg.svd(test - centre, full_matrices=False)[2][:2].T
    for points, color in ((drawn[: len(test)], BLUE), (test, ORANGE)):
        axes[count].plot(*((points[:SHOWN] - centre) @ plane).T, color=color, **DOTS)
    axes[count].set(xlabel="first principal axis", ylabel="second")
    for rest in axes[count + 1 :]:
        rest.set_axis_off()
    return figure


def _map(axes: Axes, where: Tensor, density: Tensor, side: int) -> None:
    low, high = where.amin(0), where.amax(0)
    image = density.reshape(side, side).T.numpy()
    extent = (float(low[0]), float(high[0]), float(low[1]), float(high[1]))
    axes.imshow(
        image, origin="lower", extent=extent, aspect="auto", cmap="cividis", vmin=0, interpolation="bilinear"
    )


def flow_animation(fitted: FittedPoints) -> FuncAnimation | None:
    """Samples on their way from the base to the data, in the plane beside the density; None in other dimensions."""
    flow, d = fitted.density.flow, fitted.test.shape[1]
    if d not in (2, 3):
        return None
    drawn = flow.sample(SHOWN, np.random.default_rng(0))
    drifting = path(flow.f, drawn, Grid("rk4", FRAMES)).flip(0).numpy()
    half = 1.1 * float(np.abs(drifting[[0, -1]]).max())
    if d == 3:
        return _in_space(drifting, half)
    ticks = torch.linspace(-half, half, SIDE, dtype=torch.float64)
    where = torch.cartesian_prod(ticks, ticks)
    figure, grid = canvas(1, 2, height=WIDTH / 2)
    grid[0, 0].set_title("samples")
    _laid_out(figure)

    def show(k: int) -> list[Any]:
        k = min(k, FRAMES)
        t = 1 - k / FRAMES
        steps = max(1, round(flow.grid.steps * (1 - t)))
        logs = (
            standard_normal(where) if k == 0 else log_density(flow.f, where, Grid("rk4", steps, t), "trace")
        )
        for axes, title in zip(grid[0], (f"samples, t = {t:.2f}", f"density, t = {t:.2f}"), strict=True):
            axes.clear()
            axes.set(xlim=(-half, half), ylim=(-half, half), title=title, aspect="equal")
            axes.grid(False)
        grid[0, 0].plot(*drifting[k].T, color=BLUE, **DOTS)
        _map(grid[0, 1], where, logs.exp(), SIDE)
        return []

    return FuncAnimation(figure, show, frames=FRAMES + LAST_FRAMES)


def _laid_out(figure: Figure) -> None:
    """Lay the figure out once for all frames, which takes longer than to draw one."""
    figure.draw_without_rendering()
    figure.set_layout_engine(None)


def _in_space(drifting: np.ndarray, half: float) -> FuncAnimation:
    figure = Figure(figsize=(WIDTH / 2, WIDTH / 2), layout="constrained")
    axes: Any = figure.add_subplot(projection="3d")
    _laid_out(figure)

    def show(step: int) -> list[Any]:
        k = min(step, FRAMES)
        axes.clear()
        axes.view_init(22, 35 + 5 * step)
        axes.scatter(*drifting[k].T, s=3, linewidths=0, color=BLUE, depthshade=True)
        axes.set(
            xlim=(-half, half), ylim=(-half, half), zlim=(-half, half), title=f"t = {1 - k / FRAMES:.2f}"
        )
        return []

    return FuncAnimation(figure, show, frames=FRAMES + LAST_FRAMES)
