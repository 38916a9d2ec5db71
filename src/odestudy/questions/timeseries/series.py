"""Time series observed at their own times, with the times at which a forecast is judged."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass(frozen=True)
class Series:
    """N series of d values, observed in a window and judged inside and behind it; times from the window's start.

    Attributes:
        t, x: observed times (..., N, n), ascending, and noisy values (..., N, n, d): all that a model is shown.
        inner_t, inner, inner_noisy: other times between a series' first and last observation (..., N, m), the
            values there without noise and with fresh noise (..., N, m, d).
        outer_t, outer, outer_noisy: the same behind the window, as densely as observed, (..., N, k).
        whole_t, whole: even times over the window and as long behind it, and the truth there, for pictures.
    """

    t: Tensor
    x: Tensor
    inner_t: Tensor
    inner: Tensor
    inner_noisy: Tensor
    outer_t: Tensor
    outer: Tensor
    outer_noisy: Tensor
    whole_t: Tensor
    whole: Tensor

    @property
    def d(self) -> int:
        return self.x.shape[-1]

    def first(self, count: int) -> Series:
        """The first `count` series of each seed."""
        return Series(*(getattr(self, f.name)[:, :count] for f in fields(self)))


def stack(sets: list[Series], device: str, dtype: torch.dtype) -> Series:
    """The sets of several seeds as one, with the seeds as first dimension."""
    return Series(
        *(torch.stack([getattr(s, f.name) for s in sets]).to(device, dtype) for f in fields(Series))
    )
