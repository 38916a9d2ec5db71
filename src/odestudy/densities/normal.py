"""The standard normal base of all flows."""

from __future__ import annotations

import math

from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


def standard_normal(z: Tensor) -> Tensor:
    """Log-density of N(0, I) at z (n, d), (n,)."""
    return -z.square().sum(1) / 2 - z.shape[1] * LOG_2PI / 2
