"""Checks of numbers before anything is fitted to them: constant, dependent, repeated and far values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ROUNDING = 1e-12  # of a column's magnitude: what varies by less is constant
SMALLEST = 1e-100  # of a range, so that squares are not zero
FAR = 100.0  # robust standard deviations from the median, beyond which a row is left out
FAR_SHARE = 0.01  # of the rows: where more are far, that is how the values are spread and no mishap
DEPENDENT, NEARLY = 1e-4, 1e-2  # of its standard deviation: what the other columns do not explain of a column


def constant(values: np.ndarray) -> np.ndarray:
    """Which columns (d,) of values (n, d) are constant up to rounding."""
    return np.ptp(values, axis=0) <= ROUNDING * np.abs(values).max(axis=0)


def robust_distance(values: np.ndarray) -> np.ndarray:
    """Distance (n, d) of each value from its column's median in robust standard deviations.

    They are the range of the middle half of the column, which is 1.349 standard deviations of a Gaussian. Where that
    range is zero the distance is too: nothing tells what is far.
    """
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    spread = (high - low) / 1.349
    return np.abs(values - middle) / np.where(spread > 0, spread, np.inf)


def dependence(values: np.ndarray, names: Sequence[str]) -> tuple[float, str]:
    """How near the columns of values (n, d), none constant, come to a linear relation, and that relation.

    Returns:
        what it leaves of a column, in standard deviations; the relation as `x3 = x1 + x2` (a constant is not told).
    """
    if values.shape[1] < 2:
        return 1.0, ""
    scale = values.std(axis=0)
    _, sizes, turns = np.linalg.svd((values - values.mean(axis=0)) / scale, full_matrices=False)
    weights = turns[-1]
    left = np.flatnonzero(np.abs(weights) > 1e-3 * np.abs(weights).max())
    last = left[-1]
    share = float(sizes[-1] / np.sqrt(len(values)) / np.abs(weights[last]))
    terms = [(-weights[i] / weights[last] * scale[last] / scale[i], names[i]) for i in left[:-1]]
    return share, f"{names[last]} = {' '.join(_term(k, *term) for k, term in enumerate(terms))}"


def _term(place: int, factor: float, name: str) -> str:
    sign = ("-" if place == 0 else "- ") if factor < 0 else ("" if place == 0 else "+ ")
    size = f"{abs(factor):.4g}"
    return f"{sign}{name}" if size == "1" else f"{sign}{size} {name}"


def repeated_rows(values: np.ndarray) -> list[np.ndarray]:
    """Places of rows that are equal, one array for each set of them, the largest first."""
    _, which, counts = np.unique(values, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(which.reshape(-1), kind="stable")
    groups = np.split(order, np.cumsum(counts)[:-1])
    return sorted((g for g in groups if len(g) > 1), key=lambda g: (-len(g), g[0]))
