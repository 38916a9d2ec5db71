"""What the pictures of densities share: whose arrays to show, and how a density on a lattice is painted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from odestudy.present.figures.base import FigureData, NothingToShow

TABLE = "density_models"


def flows(data: FigureData) -> dict[str, tuple[pd.Series, dict[str, np.ndarray]]]:
    """Target -> row and arrays of the continuous flow's first seed.

    Raises:
        NothingToShow: there is none.
    """
    table = data.table(TABLE)
    found = {}
    for target, rows in table[table["model"] == "cnf"].groupby("target", sort=False) if len(table) else ():
        row = rows.iloc[0]
        arrays = data.arrays(row["job"]) if row["job"] in data.metrics else {}
        if "frames" in arrays:
            found[str(target)] = row, arrays
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
    axes.set(xlim=(-half, half), ylim=(-half, half), xticks=[], yticks=[])
    axes.grid(False)
    for side_of in axes.spines.values():
        side_of.set_visible(False)
