"""Slopes and power laws by least squares, with Student's t intervals at the study's one level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

LEVEL = 0.95


@dataclass(frozen=True)
class Slope:
    """A slope with its interval, from n points."""

    value: float
    low: float
    high: float
    n: int


def log_slope(x: Sequence[float], y: Sequence[float]) -> Slope:
    """Slope of log y against log x by least squares, with Student's t interval of the regression.

    For a quantity that vanishes with x; where a constant part remains, power_fit has to be taken.

    Raises:
        ValueError: fewer than three points, or values that are not positive.
    """
    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(a) < 3 or not (np.isfinite(b).all() and (a > 0).all() and (b > 0).all()):
        raise ValueError(f"a slope needs at least three finite positive values; got {list(y)}")
    design = np.stack([np.ones_like(a), np.log(a)], axis=1)
    (_, slope), half = _least_squares(design, np.log(b))
    return Slope(float(slope), float(slope - half), float(slope + half), len(a))


def _least_squares(design: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, float]:
    """Coefficients, and the half-width of the last one's interval."""
    found, *_ = np.linalg.lstsq(design, values, rcond=None)
    return found, _half_width(design, design @ found - values)


def _half_width(jacobian: np.ndarray, residual: np.ndarray) -> float:
    """Half-width of the interval of the last unknown; infinite where there is no point to spare."""
    n, unknowns = jacobian.shape
    if n <= unknowns:
        return float("inf")
    variance = float(residual @ residual) / (n - unknowns)
    covariance = np.linalg.pinv(jacobian.T @ jacobian)[-1, -1]
    return float(special.stdtrit(n - unknowns, (1 + LEVEL) / 2) * np.sqrt(variance * covariance))


@dataclass(frozen=True)
class PowerFit:
    """y = a + b N^alpha; `share` is b N^alpha at the largest N over a; low and high are alpha's interval."""

    a: float
    b: float
    alpha: float
    share: float
    low: float
    high: float


def power_fit(n: Sequence[float], y: Sequence[float]) -> PowerFit:
    """Fit y = a + b N^alpha with a free, by variable projection over alpha in [0.1, 4].

    A slope of log y against log N would absorb the intercept: memory that is exactly affine in N shows less than 1.
    A curve that varies by less than a thousandth of its mean has b = 0. The interval of alpha is that of the
    linearised regression.

    Raises:
        ValueError: fewer than four points.
    """
    x, v = np.asarray(n, dtype=float), np.asarray(y, dtype=float)
    if len(x) < 4:
        raise ValueError(f"a fit with three unknowns needs at least four points; got {len(x)}")
    if np.ptp(v) <= 1e-3 * abs(v.mean()):
        return PowerFit(float(v.mean()), 0.0, 0.0, 0.0, 0.0, 0.0)

    def solve(alpha: float) -> tuple[np.ndarray, np.ndarray]:
        design = np.stack([np.ones_like(x), (x / x.max()) ** alpha], axis=1)
        found, *_ = np.linalg.lstsq(design, v, rcond=None)
        return found, design @ found - v

    def misfit(alpha: float) -> float:
        return float(np.linalg.norm(solve(alpha)[1]))

    grid = np.linspace(0.1, 4.0, 79)
    best = grid[int(np.argmin([misfit(a) for a in grid]))]
    from scipy import optimize

    bounds = (max(0.05, best - 0.1), best + 0.1)
    alpha = optimize.minimize_scalar(misfit, bounds=bounds, method="bounded", options={"xatol": 1e-6}).x
    (a, scaled), residual = solve(alpha)
    power = (x / x.max()) ** alpha
    half = _half_width(
        np.stack([np.ones_like(x), power, scaled * power * np.log(x / x.max())], axis=1), residual
    )
    share = np.inf if a <= 0 else scaled / a
    b = float(scaled / x.max() ** alpha)
    return PowerFit(float(a), b, float(alpha), float(share), float(alpha - half), float(alpha + half))
