"""Estimates with the interval that decides, and the p values that say the same as it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from odestudy.statistics.region import Region

# What the ends of an interval are: the code that the ledger holds.
EXACT, RANGE, STUDENT, BINOMIAL, ORDER, GRID = "", "range", "t", "binomial", "order", "grid"


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; low = high = value for a deterministic one.

    Attributes:
        n: values that it rests on: seeds, or cases where the ends are a range.
        p_inside: p of the hypothesis that the true value lies outside the region; p_outside: that it lies inside.
            Each below 5 % exactly where the interval says so; NaN for a deterministic value.
        ends: what the interval's ends are.
        spread: standard deviation of a seed's value, of its logarithm on a log scale; NaN without one.
        shared: standard error of what all seeds have in common; it is in the interval, too.
    """

    value: float
    low: float
    high: float
    n: int
    p_inside: float = np.nan
    p_outside: float = np.nan
    ends: str = EXACT
    spread: float = np.nan
    shared: float = 0.0


def t_estimate(
    values: Sequence[float],
    region: Region,
    *,
    log: bool = False,
    within: Sequence[float] | None = None,
    quantum: float = 0.0,
    shared: float = 0.0,
) -> Estimate:
    """Mean of one value a seed with Student's t interval; `log` gives the geometric mean.

    Args:
        values: (n,), one a seed.
        region: what is accepted; its level is that of the interval.
        within: what the mean cannot be, outside of (low, high), is cut from the interval, whose coverage stays.
        quantum: the smallest step of the measurement. The spread is at least that of rounding to it, quantum / sqrt(12),
            so that equal values of a coarse measurement do not look exact.
        shared: standard error of what all seeds have in common, such as the test images; it adds to that of the seeds,
            with the degrees of freedom of Welch and Satterthwaite.

    Raises:
        ValueError: fewer than two finite values, values that are not positive on the log scale, or equal values of a
            measurement whose quantum is not known.
    """
    x = np.asarray(values, dtype=float)
    if len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(f"an interval needs at least two finite values; got {list(values)}")
    if log and (x <= 0).any():
        raise ValueError("a geometric mean needs positive values")
    if log:
        quantum, x, region_of_mean = quantum / float(np.exp(np.log(x).mean())), np.log(x), region.log()
    else:
        region_of_mean = region
    mean, spread = float(x.mean()), max(float(x.std(ddof=1)), quantum / np.sqrt(12))
    if np.ptp(x) <= 1e-12 * max(1.0, abs(mean)) and not quantum and not shared:
        raise ValueError(f"all {len(x)} values are equal, and how finely they are measured is not known")
    error = float(np.hypot(spread / np.sqrt(len(x)), shared))
    freedom = (len(x) - 1) * (error * np.sqrt(len(x)) / spread) ** 4 if spread else 1e9
    # How far inside of each bound; the two tails apart, since one less a p near one would be a p of zero.
    inside = [(mean - region_of_mean.low) / error, (region_of_mean.high - mean) / error]
    p_outside, p_inside = (np.asarray(special.stdtr(freedom, sign * np.array(inside))) for sign in (-1, 1))
    half = float(special.stdtrit(freedom, (1 + region.level) / 2)) * error
    ends = np.array([mean, mean - half, mean + half])
    value, low, high = np.exp(ends) if log else ends
    if within is not None:
        low, high = max(low, within[0]), min(high, within[1])
    sure = float(p_outside.max()), float(p_inside.min())
    return Estimate(float(value), float(low), float(high), len(x), *sure, STUDENT, spread, shared)


def rate_estimate(successes: int, n: int, region: Region) -> Estimate:
    """A share of n seeds with the exact binomial interval (Clopper, Pearson 1934) and the tests that belong to it."""
    low, high = rate_bounds(np.array([successes]), n, region.level)

    def at_least(bound: float) -> float:
        """P of so many successes or more, where the true share is the bound."""
        return 1.0 if successes == 0 else float(special.bdtrc(successes - 1, n, np.clip(bound, 0, 1)))

    def at_most(bound: float) -> float:
        return 1.0 if successes == n else float(special.bdtr(successes, n, np.clip(bound, 0, 1)))

    p = _both_ways(region, (at_least, at_most), (at_most, at_least))
    rate = successes / n
    spread = float(np.sqrt(rate * (1 - rate)))
    return Estimate(rate, float(low[0]), float(high[0]), n, *p, BINOMIAL, spread)


def rate_bounds(successes: np.ndarray, n: int, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Clopper's and Pearson's ends for each number of successes, (m,) each."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(successes, n, alpha=1 - level, method="beta")
    return np.asarray(low), np.asarray(high)


def median_estimate(
    values: Sequence[float], region: Region, until: Sequence[float] | None = None
) -> Estimate:
    """The median of one value a seed, between two of the values in order: the sign test's interval (Thompson 1936).

    Infinite values are allowed: thresholds that were not reached. Six values give the smallest and the largest a
    coverage of 96.9 %.

    Args:
        values: (n,), one a seed; of thresholds that were looked for on a grid the last point that was reached.
        until: (n,), then the first point that was not reached. A seed's threshold lies between the two, so the interval's
            lower end is one of `values`, its upper one of these, and a seed counts for neither side of a bound that it
            straddles. Equal seeds have an interval as wide as the step of the grid. The value is then the last point that
            more than half of the seeds reached, not one between two points.

    Raises:
        ValueError: too few values for the level, NaN, or an `until` below its value.
    """
    x = np.sort(np.asarray(values, dtype=float))
    y = x if until is None else np.sort(np.asarray(until, dtype=float))
    n = len(x)
    if until is not None and (len(y) != n or (np.asarray(until) < np.asarray(values)).any()):
        raise ValueError("a first point that was not reached lies below the last that was")
    if np.isnan(x).any() or np.isnan(y).any():
        raise ValueError("a value is missing")
    # The r-th smallest and the r-th largest miss the median with probability 2 P(fewer than r of n on one side).
    most = max(
        (r for r in range(1, n // 2 + 1) if 2 * special.bdtr(r - 1, n, 0.5) <= 1 - region.level), default=0
    )
    if not most:
        raise ValueError(f"{n} values are too few for a median's interval at {100 * region.level:g} %")

    def sign_p(on_one_side: np.ndarray) -> float:
        """P of so many values or more on one side of a bound, where the bound is the median."""
        return float(special.bdtr(n - int(on_one_side.sum()), n, 0.5))

    p = _both_ways(
        region,
        (lambda bound: sign_p(x >= bound), lambda bound: sign_p(y <= bound)),
        (lambda bound: sign_p(y < bound), lambda bound: sign_p(x > bound)),
    )
    return Estimate(
        middle_of(x, on_grid=until is not None),
        float(x[most - 1]),
        float(y[n - most]),
        n,
        *p,
        ORDER if until is None else GRID,
    )


def middle_of(values: Sequence[float] | np.ndarray, *, on_grid: bool) -> float:
    """The median; of an even number of values on a grid the smaller of the two in the middle, which is on it, too."""
    x = np.sort(np.asarray(values, dtype=float))
    low, high = x[(len(x) - 1) // 2], x[len(x) // 2]
    return float(low if on_grid else (low + high) / 2)


Tail = Callable[[float], float]


def _both_ways(region: Region, inside: tuple[Tail, Tail], outside: tuple[Tail, Tail]) -> tuple[float, float]:
    """(p of lying outside, p of lying inside) from tests at the lower and at the upper bound; NaN without a bound."""
    bounds = [(i, b) for i, b in enumerate((region.low, region.high)) if np.isfinite(b)]
    within = max((inside[i](bound) for i, bound in bounds), default=np.nan)
    return within, min((outside[i](bound) for i, bound in bounds), default=np.nan)
