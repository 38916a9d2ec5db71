"""Right-hand sides f(t, z) of the flows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from odestudy.densities.layers import Layers

RightHandSide = Callable[[Tensor, Tensor], Tensor]


class Field(nn.Module):
    """Two hidden layers with tanh; time enters the first one as a bias. z is (n, d)."""

    def __init__(self, d: int, width: int = 64) -> None:
        super().__init__()
        self.first = nn.Linear(d, width)
        self.time = nn.Parameter(torch.randn(width) / 2)
        self.second = nn.Linear(width, width)
        self.last = nn.Linear(width, d)

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        hidden = torch.tanh(self.first(z) + self.time * t)
        return self.last(torch.tanh(self.second(hidden)))

    def layers(self) -> Layers:
        parts = (self.first, self.second, self.last)
        return Layers(tuple(p.weight for p in parts), tuple(p.bias for p in parts), self.time)


class Stack(nn.Module):
    """The same with any number of hidden layers, one at least."""

    def __init__(self, d: int, width: int, hidden: int) -> None:
        super().__init__()
        sizes = [d, *[width] * hidden, d]
        self.parts = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.time = nn.Parameter(torch.randn(width) / 2)

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        return self.layers()(t, z)[0]

    def layers(self) -> Layers:
        return Layers(tuple(p.weight for p in self.parts), tuple(p.bias for p in self.parts), self.time)  # type: ignore[misc]  # parts of a ModuleList are typed as modules


class LinearField(nn.Module):
    """dz/dt = A z, whose flow takes a centred Gaussian to the standard normal in closed form."""

    def __init__(self, matrix: Sequence[Sequence[float]]) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(matrix, dtype=torch.float64))

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        return z @ self.a.T

    def layers(self) -> Layers:
        return Layers((self.a,), (None,), None)

    def data_root(self) -> Tensor:
        """R with x = R z for z at t = 1, so that the data's covariance is R R^T."""
        return torch.linalg.matrix_exp(-self.a.detach())
