"""Batches whose samples differ, and how each is solved alone."""

from typing import Any

import torch
from helpers import F64
from torch import Tensor, nn

from odestudy.ode import Solution, solve_batch


class Decay(nn.Module):
    """y' = -rate y, a rate for each sample."""

    def __init__(self, rates: Tensor) -> None:
        super().__init__()
        self.rates = nn.Parameter(rates)

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return decay(self.rates, y)

    def for_samples(self, samples: Tensor) -> Any:
        rates = self.rates[samples]
        return lambda t, y: decay(rates, y)


def decay(rates: Tensor, y: Tensor) -> Tensor:
    return -rates[:, None] * y


class VanDerPol:
    """mu is a part of the state that stays."""

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        x, v, mu = y.unbind(-1)
        return torch.stack([v, mu * (1 - x * x) * v - x, torch.zeros_like(mu)], -1)


RATES = torch.tensor([0.1, 5.0, 50.0, 1.0], dtype=F64)
MUS = torch.tensor([[2.0, 0.0, 0.5], [2.0, 0.0, 20.0], [2.0, 0.0, 5.0]], dtype=F64)


def alone(f: Any, y0: Tensor, t: Tensor, **arguments: Any) -> list[Solution]:
    """Each sample as a batch of one."""
    rows = range(len(y0))
    parts = [f.for_samples(torch.tensor([i])) if hasattr(f, "for_samples") else f for i in rows]
    return [
        solve_batch(parts[i], y0[i : i + 1], t[i : i + 1] if t.ndim == 2 else t, **arguments) for i in rows
    ]
