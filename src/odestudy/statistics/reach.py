"""Whether a rule can come out either way: asked before any job runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from odestudy.statistics.estimates import rate_bounds
from odestudy.statistics.region import FEWEST_SEEDS, Region

MOST_SEEDS = 1000


def unreachable(
    region: Region, seeds: int | None, *, rate: bool = False, within: Sequence[float], quantum: float = 0.0
) -> str:
    """The verdict that no outcome can give: "supported", "refuted", or "" where both can come out.

    Args:
        region: what is accepted.
        seeds: how many are planned, one value each; None where one run decides.
        rate: whether the value of a seed is yes or no, and the estimate their share.
        within: (low, high) that the estimate cannot leave.
        quantum: the smallest step of the measurement.
    """
    if seeds is None:
        inside, outside = _room(region, within, 0.0)
    elif rate:
        low, high = rate_bounds(np.arange(seeds + 1), seeds, region.level)
        inside = bool(((region.low <= low) & (high <= region.high)).any())
        outside = bool(((high < region.low) | (low > region.high)).any())
    else:
        half = special.stdtrit(max(1, seeds - 1), 1 - (1 - region.level) / 2) * quantum / np.sqrt(12 * seeds)
        inside, outside = _room(region, within, float(half))
    return "" if inside and outside else "refuted" if inside else "supported"


def fewest_seeds(reaches: Callable[[int], bool]) -> int | None:
    """The smallest number of seeds at which both verdicts can come out; None up to MOST_SEEDS."""
    return next((n for n in range(FEWEST_SEEDS, MOST_SEEDS + 1) if reaches(n)), None)


def _room(region: Region, within: Sequence[float], half: float) -> tuple[bool, bool]:
    """Whether an interval of that half width, cut to `within`, fits into the region, and whether one fits outside.

    The region is closed: a value on its bound lies inside.
    """
    low, high = max(region.low, within[0]), min(region.high, within[1])
    room = high - low + half * (np.isneginf(region.low) or region.low <= within[0])
    room += half * (np.isposinf(region.high) or region.high >= within[1])
    inside = low <= high and room >= 2 * half
    below = region.low - within[0] > half and region.low > within[0]
    above = within[1] - region.high > half and region.high < within[1]
    return bool(inside), bool(below or above)
