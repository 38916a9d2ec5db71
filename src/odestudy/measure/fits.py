"""Slopes and power laws by least squares, with Student's t intervals at the study's one level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

LEVEL = 0.95
ALPHAS = tuple(np.linspace(0.1, 4.0, 79))  # exponents from which the best is refined


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
    from scipy import stats

    fit = stats.linregress(np.log(a), np.log(b))
    half = special.stdtrit(len(a) - 2, (1 + LEVEL) / 2) * fit.stderr
    return Slope(float(fit.slope), float(fit.slope - half), float(fit.slope + half), len(a))


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
    """Fit y = a + b N^alpha with a free by least squares, alpha in [0.05, 4.1].

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
    from scipy import optimize

    part, scale = x / x.max(), float(np.ptp(v))
    starts = [_straight(part**alpha, v / scale) for alpha in ALPHAS]
    misfit, a, b = min(starts)
    start = (a, b, ALPHAS[starts.index((misfit, a, b))])
    found, covariance = optimize.curve_fit(
        lambda z, a, b, alpha: a + b * z**alpha, part, v / scale, start,
        bounds=([-np.inf, -np.inf, 0.05], [np.inf, np.inf, 4.1]), xtol=1e-12, ftol=1e-12, gtol=1e-12, max_nfev=10_000,
    )  # fmt: skip
    a, b, alpha = map(float, found)
    half = float(special.stdtrit(len(x) - 3, (1 + LEVEL) / 2) * np.sqrt(covariance[2, 2]))
    share = np.inf if a <= 0 else b / a
    return PowerFit(scale * a, scale * b / float(x.max()) ** alpha, alpha, share, alpha - half, alpha + half)


def _straight(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Misfit, intercept and slope of the line through (x, y)."""
    (a, b), (misfit, *_) = np.polynomial.polynomial.polyfit(x, y, 1, full=True)
    return float(misfit[0]) if misfit.size else 0.0, float(a), float(b)
