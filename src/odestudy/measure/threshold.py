"""The value of a quantity beyond which something happens, by bisection: a property of the problem and not of a grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

RELATIVE = 0.05


@dataclass(frozen=True)
class Threshold:
    """Where something begins to happen.

    Attributes:
        value: between the largest value without and the smallest with it, their geometric mean; infinite where it did not
            happen up to `tried_to`.
        monotone: whether on the grid it happens at every value above the first, and at none below.
        calls: how many values were tried.
    """

    value: float
    tried_to: float
    monotone: bool
    calls: int


def threshold(
    happens: Callable[[float], bool], grid: Sequence[float], relative: float = RELATIVE
) -> Threshold:
    """The smallest value from which on it happens, to within a share `relative`.

    The grid is tried whole, which tells whether the answer is monotone; then the gap below the first value at which it
    happens is halved on a logarithmic scale.

    Args:
        happens: whether it does at a value; asked once a value.
        grid: positive values in ascending order.

    Raises:
        ValueError: the grid is empty, not ascending or not positive.
    """
    if not grid or any(b <= a for a, b in zip([0.0, *grid], grid, strict=False)):
        raise ValueError(f"a grid of positive values in ascending order is needed; got {list(grid)}")
    found = [happens(value) for value in grid]
    if not any(found):
        return Threshold(math.inf, grid[-1], True, len(grid))
    first = found.index(True)
    monotone = all(found[first:])
    low, high, calls = (grid[first - 1] if first else 0.0), grid[first], len(grid)
    if not first:
        return Threshold(high, grid[-1], monotone, calls)
    while high > low * (1 + relative):
        middle = math.sqrt(low * high)
        calls += 1
        low, high = (low, middle) if happens(middle) else (middle, high)
    return Threshold(math.sqrt(low * high), grid[-1], monotone, calls)
