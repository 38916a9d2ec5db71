"""Recurrent forecasters: each observation is predicted from those before it; behind them their own predictions follow.

RNN and RNN with time gaps after Chen et al. 2018, section 5.1; ODE-RNN after Rubanova et al. 2019, section 3.1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from odestudy.integrate import Solver, integrate
from odestudy.nets.stacked import StackedGRU, StackedLinear, StackedMLP


def before(t: Tensor, times: Tensor) -> Tensor:
    """Index of the last observation before each time: (S, N, n) and (S, N, m) to (S, N, m)."""
    return torch.searchsorted(t.contiguous(), times.contiguous(), right=True).sub(1).clamp(0, t.shape[-1] - 1)


def pick(values: Tensor, index: Tensor) -> Tensor:
    """values (S, N, n, d) at index (S, N, m): (S, N, m, d)."""
    return values.gather(2, index[..., None].expand(*index.shape, values.shape[-1]))


def gaps(t: Tensor) -> Tensor:
    """Time to the next observation, (..., n) to (..., n - 1)."""
    return t[..., 1:] - t[..., :-1]


class Recurrent(nn.Module, ABC):
    """What the recurrent forecasters share: how they read, branch off and go on.

    A subclass says how a state takes in a value (`take`) and what it predicts `gap` later (`ahead`).
    """

    cell: StackedGRU
    head: StackedLinear

    @abstractmethod
    def take(self, x: Tensor, gap: Tensor, h: Tensor) -> Tensor:
        """The state after a value (S, ..., d), with the time (S, ...) to what is predicted next."""

    def ahead(self, h: Tensor, gap: Tensor) -> Tensor:
        """The state `gap` later."""
        return h

    def read(self, t: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """States before each observation (S, N, n, hidden), and predictions of all but the first (S, N, n - 1, d)."""
        h = self.cell.start(x)
        states, arrived = [h], []
        for value, gap in zip(x[:, :, :-1].unbind(2), gaps(t).unbind(2), strict=True):
            h = self.ahead(self.take(value, gap, h), gap)
            states.append(h)
            arrived.append(h)
        return torch.stack(states, 2), self.head(torch.stack(arrived, 2))

    def loss(self, t: Tensor, x: Tensor, noise: float, generators: Sequence[Generator]) -> Tensor:
        """Mean negative log-likelihood of a value, in nat, for each seed (S,)."""
        return -gaussian_log_prob(x[:, :, 1:], self.read(t, x)[1], noise).mean((1, 2, 3))

    def predict(self, t: Tensor, x: Tensor, inner_t: Tensor, outer_t: Tensor) -> tuple[Tensor, Tensor]:
        """Values at inner and outer times, (S, N, m, d) and (S, N, k, d)."""
        states, _ = self.read(t, x)
        last = before(t, inner_t)
        gap = inner_t - t.gather(2, last)
        inner = self.head(self.ahead(self.take(pick(x, last), gap, pick(states, last)), gap))
        h, value, now, outer = states[:, :, -1], x[:, :, -1], t[:, :, -1], []
        for then in outer_t.unbind(2):
            h = self.ahead(self.take(value, then - now, h), then - now)
            value, now = self.head(h), then
            outer.append(value)
        return inner, torch.stack(outer, 2)

    def draws(
        self,
        t: Tensor,
        x: Tensor,
        inner_t: Tensor,
        outer_t: Tensor,
        count: int,
        generators: Sequence[Generator],
    ) -> tuple[Tensor, Tensor]:
        """Predictions that stand for the predictive distribution, (1, S, N, m, d) and (1, S, N, k, d)."""
        inner, outer = self.predict(t, x, inner_t, outer_t)
        return inner[None], outer[None]


class RNN(Recurrent):
    """A GRU over the values, with the time to the next one beside them or without."""

    def __init__(self, generators: Sequence[Generator], d: int, hidden: int, sees_gaps: bool) -> None:
        super().__init__()
        self.sees_gaps = sees_gaps
        self.cell = StackedGRU(generators, d + sees_gaps, hidden)
        self.head = StackedLinear(generators, hidden, d)

    def take(self, x: Tensor, gap: Tensor, h: Tensor) -> Tensor:
        seen = torch.cat([x, gap[..., None]], -1) if self.sees_gaps else x
        return self.cell.step(self.cell.project(seen), h)

    def read(self, t: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """As of every recurrent forecaster; nothing happens between the observations, so all steps are one operation."""
        seen, start = x[:, :, :-1], self.cell.start(x)
        if self.sees_gaps:
            seen = torch.cat([seen, gaps(t)[..., None]], -1)
        arrived = self.cell.along(seen, start)
        return torch.cat([start[:, :, None], arrived], 2), self.head(arrived)


class Autonomous(nn.Module):
    """dy/dt = net(y) for each seed."""

    def __init__(self, generators: Sequence[Generator], widths: Sequence[int]) -> None:
        super().__init__()
        self.net = StackedMLP(generators, widths, nn.ELU())

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.net(y)


class Stretched(nn.Module):
    """dy/ds = gap f(y): every sample crosses its own gap while s goes from 0 to 1."""

    def __init__(self, f: nn.Module, gap: Tensor) -> None:
        super().__init__()
        self.f, self.gap = f, gap[..., None]

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.gap * self.f(t, y)


class ODERNN(Recurrent):
    """A GRU whose state follows an ODE between the observations; gaps differ, so each sample has its own steps."""

    def __init__(
        self, generators: Sequence[Generator], d: int, hidden: int, width: int, solver: Solver, steps: int
    ) -> None:
        super().__init__()
        self.cell = StackedGRU(generators, d, hidden)
        self.f = Autonomous(generators, (hidden, width, hidden))
        self.head = StackedLinear(generators, hidden, d)
        self.solver, self.steps = solver, steps

    def take(self, x: Tensor, gap: Tensor, h: Tensor) -> Tensor:
        return self.cell.step(self.cell.project(x), h)

    def ahead(self, h: Tensor, gap: Tensor) -> Tensor:
        s = torch.linspace(0, 1, self.steps + 1, dtype=h.dtype)
        return integrate(Stretched(self.f, gap), h, s, self.solver)[-1]


def gaussian_log_prob(x: Tensor, mean: Tensor, std: float) -> Tensor:
    """log N(x; mean, std^2) of each value, in nat."""
    z = (x - mean) / std
    return -0.5 * z.square() - torch.log(x.new_tensor(std * (2 * torch.pi) ** 0.5))
