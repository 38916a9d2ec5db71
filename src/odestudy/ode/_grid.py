"""Where a fixed-step solve steps, given the times at which it is observed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Grid:
    """`points` makes the grid from the observation times; its ends are theirs.

    `drifts` says whether the inner points move with the first time, where a gradient in t is wanted.
    """

    points: Callable[[Sequence[float]], list[float]]
    drifts: bool = False

    def offsets(self, points: list[float], times: Sequence[float], offsets: Tensor | None) -> Tensor | None:
        """The zeros that carry each point's gradient, from those of the observation times."""
        if offsets is None or len(points) == len(times) == 1:
            return offsets
        if points == list(times):
            return offsets
        inner = (offsets[:1] if self.drifts else torch.zeros_like(offsets[:1])).expand(len(points) - 2)
        return torch.cat([offsets[:1], inner, offsets[-1:]])


ON_TIMES = Grid(list)
"""One step from each observation time to the next."""


def uniform(step_size: float) -> Grid:
    """Steps of one size from the first time to the last, where the last step may be shorter."""

    def points(times: Sequence[float]) -> list[float]:
        span = times[-1] - times[0]
        if span == 0:
            return list(times)
        h = math.copysign(abs(step_size), span)
        n = max(1, math.ceil(span / h * (1 - 1e-12)))  # a rounding error must not make one tiny last step
        return [*(times[0] + i * h for i in range(n)), times[-1]]

    return Grid(points, drifts=True)


def explicit(given: Sequence[float]) -> Grid:
    """The given points, as far as they lie between the first and the last time, and these two."""

    def points(times: Sequence[float]) -> list[float]:
        low, high = min(times[0], times[-1]), max(times[0], times[-1])
        inner = sorted(p for p in given if low < p < high)
        return [times[0], *(inner if times[0] <= times[-1] else inner[::-1]), times[-1]]

    return Grid(points)
