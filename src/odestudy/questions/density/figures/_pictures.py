"""Parts that pictures of densities share: the choice of arrays, and painting a density or samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.style import BLUE

TABLE, CURVE = "density_models", "density_curve"
DOTS: dict[str, Any] = {"marker": ".", "linestyle": "none", "markersize": 1.6, "markeredgewidth": 0}

Shown = dict[str, tuple[pd.Series, dict[str, np.ndarray]]]


def flows(data: FigureData, most: int, having: str) -> Shown:
    """Target -> row and arrays of the continuous flow's first seed, of at most so many targets.

    Targets that are a shape come first, then those of a family that grows harder; where a flow was trained shorter and
    longer it is the longest training through the most steps. `having` names an array that the arrays must have.

    Raises:
        NothingToShow: there is none.
    """
    order = ["train_steps", "iterations"]
    longest = data.tables.get(CURVE, pd.DataFrame(columns=order)).sort_values(order, ascending=False)
    table = pd.concat([t for t in (longest, data.table(TABLE)) if len(t)] or [longest], ignore_index=True)
    table = table[table["model"] == "cnf"] if len(table) else table
    if "family" in table:
        table = table.sort_values("family", key=lambda family: family.notna(), kind="stable")
    found: Shown = {}
    for target, rows in table.groupby("target", sort=False) if len(table) else ():
        arrays = data.arrays(rows["job"].iloc[0]) if rows["job"].iloc[0] in data.metrics else {}
        if having in arrays and len(found) < most:
            found[str(target)] = rows.iloc[0], arrays
    if not found:
        raise NothingToShow("no flow has stored its pictures")
    return found


def paint(axes: Axes, density: np.ndarray, half: float, top: float) -> None:
    """One density on a square lattice, on a scale of colour from zero to `top`."""
    side = round(density.size**0.5)
    axes.imshow(
        density.reshape(side, side), origin="lower", extent=(-half, half, -half, half), vmin=0, vmax=top,
        cmap="cividis", interpolation="bilinear",
    )  # fmt: skip
    bare(axes, half)
    for side_of in axes.spines.values():
        side_of.set_visible(False)


def scatter(axes: Axes, points: np.ndarray, half: float) -> None:
    """Samples (n, 2) in the square of a lattice."""
    axes.plot(*points.T, color=BLUE, rasterized=True, **DOTS)
    axes.set_aspect("equal")
    bare(axes, half)


def bare(axes: Axes, half: float) -> None:
    axes.set(xlim=(-half, half), ylim=(-half, half), xticks=[], yticks=[])
    axes.grid(False)


def two_lines(label: str) -> str:
    return label.replace(", ", ",\n")
