"""Learnable right-hand sides f(t, z) of low dimension, without time dependence."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class LinearDynamics(nn.Module):
    """dz/dt = A z with a random A, standard deviation 1/2 (walk-through); it has no width."""

    def __init__(self, d: int, width: int = 0) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.randn(d, d) / 2)

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        return z @ self.a.T


class MLPDynamics(nn.Module):
    """dz/dt = net(z), two hidden layers of `width` with ELU (walk-through's NNODEF, time-invariant)."""

    def __init__(self, d: int, width: int = 16) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(d, width), nn.ELU(), nn.Linear(width, width), nn.ELU(), nn.Linear(width, d)
        )  # fmt: skip

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        return self.net(z)


MODELS: dict[str, Callable[[int, int], nn.Module]] = {"linear": LinearDynamics, "mlp": MLPDynamics}
