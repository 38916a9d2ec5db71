"""How many seeds show the smallest effect that matters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from odestudy.statistics.estimates import rate_bounds
from odestudy.statistics.region import ALPHA, FEWEST_SEEDS, Region

POWER = 0.8
MOST_SEEDS, MOST_FOR_RATES = 10_000, 300
ROUNDING = 1e-9


def seeds_for_mean(region: Region, truth: float, spread: float) -> float:
    """Seeds at which the rule is met in four of five studies, where the mean is `truth` and seeds scatter by `spread`.

    Each end of the region is a one-sided t test at 5 %, of power 0.8, or 0.9 each where there are two (then both hold in
    four of five studies or more).

    Args:
        region, truth, spread: on the scale of the decision, which is the logarithm for ratios.

    Returns:
        at least FEWEST_SEEDS; NaN beyond MOST_SEEDS.
    """
    from statsmodels.stats.power import TTestPower

    distances = [abs(truth - bound) for bound in (region.low, region.high) if np.isfinite(bound)]
    wanted = POWER if len(distances) == 1 else 1 - (1 - POWER) / 2
    if not spread > 0:
        return float(FEWEST_SEEDS)

    def enough(n: int) -> bool:
        return all(
            TTestPower().power(d / spread, n, ALPHA, alternative="larger") >= wanted for d in distances
        )

    return _first(enough)


def power_of_rate(region: Region, truth: float, seeds: int) -> float:
    """How often the exact binomial bounds of so many seeds lie inside the region, at a true share `truth`."""
    k = np.arange(seeds + 1)
    low, high = rate_bounds(k, seeds, region.level)
    good = k[(region.low <= low) & (high <= region.high)]
    return float((special.comb(seeds, good) * truth**good * (1 - truth) ** (seeds - good)).sum())


def seeds_for_rate(region: Region, truth: float, planned: int = 0) -> float:
    """Seeds at which the exact binomial bounds lie inside the region in four of five studies, at a true share `truth`.

    A binomial has steps: one seed more may lose power. At 0.9 against a bound of 0.5, 8 seeds have 0.81, 9 have 0.77 and
    11 have 0.91.

    Args:
        planned: where these happen to reach the power, they suffice.

    Returns:
        the smallest number that reaches the power together with all larger ones up to MOST_FOR_RATES, or `planned`, if less;
        NaN where there is none.
    """
    short = [
        n
        for n in range(FEWEST_SEEDS, MOST_FOR_RATES + 1)
        if power_of_rate(region, truth, n) < POWER - ROUNDING
    ]
    lasting = max(short, default=FEWEST_SEEDS - 1) + 1
    if FEWEST_SEEDS <= planned < lasting and planned not in short:
        return float(planned)
    return float(lasting) if lasting <= MOST_FOR_RATES else np.nan


def seeds_to_decide(region: Region, value: float, spread: float, shared: float = 0.0) -> float:
    """Seeds at which the interval would clear the nearest bound, if mean and spread stay as they are; NaN beyond 10,000.

    Args:
        shared: standard error of what all seeds have in common, as in `t_estimate`; no number of seeds makes it smaller.
    """
    distance = min(abs(value - bound) for bound in (region.low, region.high))

    def enough(n: int) -> bool:
        error = float(np.hypot(spread / np.sqrt(n), shared))
        freedom = (n - 1) * (error * np.sqrt(n) / spread) ** 4
        return bool(special.stdtrit(freedom, 1 - ALPHA) * error < distance)

    return _first(enough) if distance > 0 else np.nan


def _first(enough: Callable[[int], bool]) -> float:
    """The smallest n from which on the condition holds: doubled until it does, then halved in on."""
    high = FEWEST_SEEDS
    while not enough(high):
        high *= 2
        if high > MOST_SEEDS:
            return np.nan
    low = high // 2
    while high > FEWEST_SEEDS and high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return float(high)
