"""Densities on a grid over the plane."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from odestudy.densities.laws import Target

MARGIN = 1.35


def lattice(target: Target, points: int, device: str = "cpu") -> tuple[Tensor, float, np.ndarray]:
    """Cell centres (points^2, 2) of a square grid around a target, the area of a cell, and half the side.

    The square reaches to `MARGIN` times what 99.9 % of a fixed sample keep within.
    """
    reach = target.sample(4000, np.random.default_rng(0)).abs().amax(1)
    half = MARGIN * float(reach.quantile(0.999))
    ticks = (torch.arange(points, dtype=torch.float64) + 0.5) * (2 * half / points) - half
    y, x = torch.meshgrid(ticks, ticks, indexing="ij")
    return torch.stack([x.reshape(-1), y.reshape(-1)], 1).to(device), (2 * half / points) ** 2, np.array(half)


def integral(density: Tensor, cell: float) -> float:
    """The integral of a density given on a lattice."""
    return float(density.sum()) * cell
