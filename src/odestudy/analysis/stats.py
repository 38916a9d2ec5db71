"""Intervals and tests: one level for all, intervals and decisions from the same quantities.

Student's t comes from scipy.special, whose import is three times as fast as that of scipy.stats: every table pays it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from odestudy.analysis.values import chosen
from odestudy.measure.fits import LEVEL

FEWEST_SEEDS = 5


@dataclass(frozen=True)
class Region:
    """The accepted region of an estimate; an open end is infinite."""

    low: float = -np.inf
    high: float = np.inf

    def __str__(self) -> str:
        if np.isinf(self.low):
            return f"at most {chosen(self.high)}"
        if np.isinf(self.high):
            return f"at least {chosen(self.low)}"
        return f"between {chosen(self.low)} and {chosen(self.high)}"


# What the ends of an interval are.
EXACT, RANGE, SEEDS, WILSON, FIT = (
    "",
    "range over cases",
    "95 % over seeds",
    "95 %, Wilson",
    "95 %, of the fit",
)


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; low = high = value for a deterministic one.

    Attributes:
        ends: what the interval's ends are, in words.
        p_inside: p of the hypothesis that the true value lies outside the region; p_outside: that it lies inside.
            Two-sided, so that p < 1 - LEVEL says the same as the interval does; NaN for a deterministic value.
    """

    value: float
    low: float
    high: float
    n: int
    p_inside: float = np.nan
    p_outside: float = np.nan
    ends: str = EXACT


def t_estimate(
    values: Sequence[float], region: Region, *, log: bool = False, within: Sequence[float] | None = None
) -> Estimate:
    """Mean of values with Student's t interval; `log` gives the geometric mean.

    What the mean cannot be, outside of `within` (low, high), is cut from the interval; that leaves its coverage as it is.

    Raises:
        ValueError: fewer than two values, or values that are not positive on the log scale.
    """
    x = np.asarray(values, dtype=float)
    if len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(f"an interval needs at least two finite values; got {list(values)}")
    if log and (x <= 0).any():
        raise ValueError("a geometric mean needs positive values")
    bounds = [region.low, region.high]
    if log:
        x = np.log(x)
        bounds = [-np.inf if b <= 0 else float(np.log(b)) for b in bounds]
    mean, error = float(x.mean()), float(x.std(ddof=1) / np.sqrt(len(x)))
    half = float(special.stdtrit(len(x) - 1, (1 + LEVEL) / 2)) * error
    # One-sided p of "the mean is below the lower bound" and of "it is above the upper bound".
    p_low, p_high = (
        _tail(sign * (mean - b), error, len(x) - 1) for sign, b in ((1, bounds[0]), (-1, bounds[1]))
    )
    ends = np.array([mean, mean - half, mean + half])
    value, low, high = np.exp(ends) if log else ends
    if within is not None:
        low, high = max(low, within[0]), min(high, within[1])
    return Estimate(float(value), float(low), float(high), len(x), *_two_sided(p_low, p_high), SEEDS)


def _tail(distance: float, error: float, freedom: int) -> float:
    if np.isinf(distance):
        return 0.0
    if error == 0:
        return 0.0 if distance > 0 else 1.0
    return float(special.stdtr(freedom, -distance / error))


def _two_sided(p_low: float, p_high: float) -> tuple[float, float]:
    """From the one-sided p at both ends of a region to (p_inside, p_outside)."""
    return min(1.0, 2 * max(p_low, p_high)), min(1.0, 2 * min(1 - p_low, 1 - p_high))


def rate_estimate(successes: int, n: int, region: Region) -> Estimate:
    """A proportion with Wilson's interval and the score test that belongs to it (Wilson 1927)."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(successes, n, alpha=1 - LEVEL, method="wilson")
    rate = successes / n

    def tail(distance: float, bound: float) -> float:
        if np.isinf(bound) or bound <= 0 or bound >= 1:
            return 0.0 if distance >= 0 else 1.0
        return float(special.ndtr(-distance / np.sqrt(bound * (1 - bound) / n)))

    p_low, p_high = tail(rate - region.low, region.low), tail(region.high - rate, region.high)
    return Estimate(rate, float(low), float(high), n, *_two_sided(p_low, p_high), WILSON)


def mcnemar_p(right_a: np.ndarray, right_b: np.ndarray) -> float:
    """Exact two-sided p of McNemar's test on paired outcomes, (n,) bool each (McNemar 1947)."""
    from statsmodels.stats.contingency_tables import mcnemar

    table = [[np.sum(a & b) for b in (right_b, ~right_b)] for a in (right_a, ~right_a)]
    return float(mcnemar(table, exact=True).pvalue)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Holm's step-down adjusted p values (Holm 1979); NaN stays NaN and does not count."""
    from statsmodels.stats.multitest import multipletests

    adjusted = np.asarray(p_values, dtype=float).copy()
    known = ~np.isnan(adjusted)
    if known.any():
        adjusted[known] = multipletests(adjusted[known], method="holm")[1]
    return adjusted
