"""How many seeds show the smallest effect that matters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from odestudy.statistics.estimates import rate_bounds
from odestudy.statistics.region import ALPHA, FEWEST_SEEDS, Region

POWER = 0.8
MOST_SEEDS, MOST_FOR_RATES = 10_000, 300


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


def seeds_for_rate(region: Region, truth: float) -> float:
    """Seeds at which the exact binomial bounds lie inside the region in four of five studies, at a true share `truth`."""

    for n in range(FEWEST_SEEDS, MOST_FOR_RATES + 1):
        k = np.arange(n + 1)
        low, high = rate_bounds(k, n, region.level)
        good = k[(region.low <= low) & (high <= region.high)]
        if (special.comb(n, good) * truth**good * (1 - truth) ** (n - good)).sum() >= POWER:
            return float(n)
    return np.nan


def seeds_to_decide(region: Region, value: float, spread: float) -> float:
    """Seeds at which the interval would clear the nearest bound, if mean and spread stay as they are; NaN beyond 10,000."""
    distance = min(abs(value - bound) for bound in (region.low, region.high))

    def enough(n: int) -> bool:
        return special.stdtrit(n - 1, 1 - ALPHA) * spread / np.sqrt(n) < distance

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
