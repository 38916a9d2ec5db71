"""Parts that pictures of time series share: the choice of arrays, and drawing one forecast."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.style import BLACK, GREY

Arrays = dict[str, np.ndarray]


def stored(data: FigureData, table: str, name: str) -> dict[str, tuple[pd.Series, Arrays]]:
    """Arm -> row and arrays of its first seed, where `name` is stored; whole trainings, the fewest observations.

    Raises:
        NothingToShow: no arm stored it.
    """
    rows = data.table(table)
    if "length" in rows:
        rows = rows[rows["length"] == 1]
    found: dict[str, tuple[pd.Series, Arrays]] = {}
    for arm, of_arm in rows.groupby("arm", sort=False) if len(rows) else ():
        row = (
            of_arm.sort_values("observed", kind="stable").iloc[0] if "observed" in of_arm else of_arm.iloc[0]
        )
        arrays = data.arrays(row["job"]) if row["job"] in data.metrics else {}
        if name in arrays and np.isfinite(arrays[name]).all():
            found[str(arm)] = row, arrays
    if not found:
        raise NothingToShow("no arm has stored its pictures")
    return found


def means_in_brackets(table: pd.DataFrame, summary: pd.DataFrame, column: str) -> str:
    """What the numbers of a caption are, of a picture that draws neither means nor bars."""
    seeds = table["seed"].nunique()
    known = f"{column}_low" in summary and summary[f"{column}_low"].notna().any()
    intervals = "; in brackets: 95 % interval" if known else ", too few for an interval"
    return f"Numbers: means over {seeds} seeds{intervals}." if seeds > 1 else "One seed, hence no interval."


def plane_forecast(axes: Axes, arrays: Arrays, series: int, look: dict[str, Any]) -> None:
    """One spiral: truth in black, observations in grey, interpolation and extrapolation in the arm's colour."""
    truth = arrays["whole"][series]
    axes.plot(*truth.T, color=BLACK, linewidth=0.8)
    axes.plot(*arrays["x"][series].T, ".", color=GREY, markersize=2.6)
    axes.plot(*arrays["inner_found"][series].T, color=look["color"], linewidth=1.5)
    axes.plot(*arrays["outer_found"][series].T, color=look["color"], linewidth=1.5, linestyle=(0, (2, 1)))
    low, high = truth.min(0), truth.max(0)
    half = 0.65 * float((high - low).max())
    middle = (low + high) / 2
    axes.set(
        xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half), aspect="equal",
        xticks=[], yticks=[],
    )  # fmt: skip
    framed(axes)


def framed(axes: Axes) -> None:
    """A thin frame without a grid."""
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set(visible=True, color="#bbbbbb")
