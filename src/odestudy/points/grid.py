"""A regular grid over points on the line or in the plane."""

from __future__ import annotations

import torch
from torch import Tensor

MARGIN = 0.5  # of the points' extent, on each side


def box(points: Tensor, count: int) -> tuple[Tensor, float]:
    """Cell centres (count^d, d) of a grid around points (n, d), d at most 2, and the volume of a cell."""
    low, high = points.amin(0), points.amax(0)
    low, high = low - MARGIN * (high - low), high + MARGIN * (high - low)
    width = (high - low) / count
    ticks = [low[i] + (torch.arange(count, dtype=torch.float64) + 0.5) * width[i] for i in range(len(low))]
    return torch.cartesian_prod(*ticks).reshape(-1, len(low)), float(width.prod())
