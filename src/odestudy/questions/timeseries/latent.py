"""Latent-variable models of time series: an encoder that reads backwards, a latent trajectory, a decoder.

Chen et al. 2018, section 5 and figure 6. The latent RNN is the same model with a recurrent net where the ODE was.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from odestudy.integrate import Solver, integrate
from odestudy.nets.stacked import StackedGRU, StackedLinear, StackedMLP, normal_like
from odestudy.questions.timeseries.recurrent import Autonomous, before, gaps, gaussian_log_prob, pick


class Encoder(nn.Module):
    """Mean and logarithm of the variance of z at a series' first observation, by a GRU that reads backwards.

    Each value comes with the time to the one that was read before it, which lies later.
    """

    def __init__(self, generators: Sequence[Generator], d: int, hidden: int, latent: int) -> None:
        super().__init__()
        self.cell = StackedGRU(generators, d + 1, hidden)
        self.head = StackedLinear(generators, hidden, 2 * latent)

    def forward(self, t: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """(S, N, n) and (S, N, n, d) to twice (S, N, latent)."""
        gap = torch.cat([gaps(t), torch.zeros_like(t[..., :1])], -1)
        seen = torch.cat([x, gap[..., None]], -1).flip(2)
        states = self.cell.along(seen, self.cell.start(x))
        mean, log_variance = self.head(states[:, :, -1]).chunk(2, -1)
        return mean, log_variance


class Latent(nn.Module, ABC):
    """What both latent models share; a subclass says where z leads (`follow`)."""

    encoder: Encoder
    decoder: StackedMLP

    @abstractmethod
    def follow(self, z: Tensor, times: Tensor) -> Tensor:
        """Decoded values (S, N, q, d) at times (S, N, q), ascending, after the first observation."""

    @abstractmethod
    def forecast(self, z: Tensor, t: Tensor, inner_t: Tensor, outer_t: Tensor) -> tuple[Tensor, Tensor]:
        """Values at inner and outer times from z at the first observation."""

    def loss(self, t: Tensor, x: Tensor, noise: float, generators: Sequence[Generator]) -> Tensor:
        """Negative evidence lower bound a value, in nat, for each seed (S,), from one sample of z."""
        mean, log_variance = self.encoder(t, x)
        z = mean + torch.exp(log_variance / 2) * normal_like(mean, generators)
        fit = gaussian_log_prob(x, self.follow(z, t - t[..., :1]), noise).sum((2, 3))
        return (kl_to_standard_normal(mean, log_variance) - fit).mean(1) / (x.shape[2] * x.shape[3])

    def predict(self, t: Tensor, x: Tensor, inner_t: Tensor, outer_t: Tensor) -> tuple[Tensor, Tensor]:
        """Values at inner and outer times, (S, N, m, d) and (S, N, k, d), from the mean of the posterior."""
        return self.forecast(self.encoder(t, x)[0], t, inner_t, outer_t)

    def draws(
        self,
        t: Tensor,
        x: Tensor,
        inner_t: Tensor,
        outer_t: Tensor,
        count: int,
        generators: Sequence[Generator],
    ) -> tuple[Tensor, Tensor]:
        """Predictions from samples of the posterior, (count, S, N, m, d) and (count, S, N, k, d)."""
        mean, log_variance = self.encoder(t, x)
        found = [
            self.forecast(
                mean + torch.exp(log_variance / 2) * normal_like(mean, generators), t, inner_t, outer_t
            )
            for _ in range(count)
        ]
        return torch.stack([f[0] for f in found]), torch.stack([f[1] for f in found])


class LatentODE(Latent):
    """z follows dz/dt = f(z).

    All samples take the same `steps` a window; what lies between them is read off the cubic that has the solver's
    states and slopes at both ends, so that each sample can be observed at its own times.
    """

    def __init__(
        self, generators: Sequence[Generator], d: int, hidden: int, latent: int, width: int, solver: Solver,
        window: float, steps: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.encoder = Encoder(generators, d, hidden, latent)
        self.f = Autonomous(generators, (latent, width, width, latent))
        self.decoder = StackedMLP(generators, (latent, width, d), nn.ReLU())
        self.solver, self.window, self.steps = solver, window, steps

    def trajectory(self, z: Tensor, times: Tensor) -> Tensor:
        """Latent states (S, N, q, latent) at times (S, N, q) from z (S, N, latent) at time zero."""
        h = self.window / self.steps
        count = max(1, math.ceil(float(times.max()) / h - 1e-4))
        grid = torch.arange(count + 1, dtype=z.dtype) * h
        states = integrate(self.f, z, grid, self.solver).permute(1, 2, 0, 3)
        index = (times / h).floor().long().clamp(0, count - 1)
        return hermite(states, self.f(grid, states), index, times / h - index, h)

    def follow(self, z: Tensor, times: Tensor) -> Tensor:
        return self.decoder(self.trajectory(z, times))

    def forecast(self, z: Tensor, t: Tensor, inner_t: Tensor, outer_t: Tensor) -> tuple[Tensor, Tensor]:
        times = torch.cat([inner_t, outer_t], -1) - t[..., :1]
        inner, outer = self.follow(z, times).split([inner_t.shape[-1], outer_t.shape[-1]], 2)
        return inner, outer


def hermite(states: Tensor, slopes: Tensor, index: Tensor, theta: Tensor, h: float) -> Tensor:
    """The cubic between two steps (Hairer, Noersett and Wanner 1993, II.6): (S, N, q, L) at a share theta of each.

    Args:
        states, slopes: (S, N, steps + 1, L) at the ends of the steps.
        index, theta: (S, N, q): which step, and how far into it from 0 to 1.
        h: the step.
    """
    y0, y1, f0, f1 = (
        pick(states, index),
        pick(states, index + 1),
        pick(slopes, index),
        pick(slopes, index + 1),
    )
    s = theta[..., None]
    slope = (2 * s - 1) * (y0 - y1) + h * ((s - 1) * f0 + s * f1)
    return (1 - s) * y0 + s * y1 - s * (1 - s) * slope


class LatentRNN(Latent):
    """z starts a GRU that is told only the time to where it is read next."""

    def __init__(
        self, generators: Sequence[Generator], d: int, hidden: int, latent: int, width: int, state: int
    ) -> None:
        super().__init__()
        self.encoder = Encoder(generators, d, hidden, latent)
        self.start = StackedLinear(generators, latent, state)
        self.cell = StackedGRU(generators, 1, state)
        self.decoder = StackedMLP(generators, (state, width, d), nn.ReLU())

    def _ahead(self, h: Tensor, gap: Tensor) -> Tensor:
        return self.cell.step(self.cell.project(gap[..., None]), h)

    def _states(self, h: Tensor, times: Tensor) -> Tensor:
        """States (S, N, q, state) at times after the one of h, each from the one before."""
        gap = torch.diff(times, dim=-1, prepend=torch.zeros_like(times[..., :1]))
        return self.cell.along(gap[..., None], h)

    def follow(self, z: Tensor, times: Tensor) -> Tensor:
        return self.decoder(self._states(self.start(z), times))

    def forecast(self, z: Tensor, t: Tensor, inner_t: Tensor, outer_t: Tensor) -> tuple[Tensor, Tensor]:
        states = self._states(self.start(z), t - t[..., :1])
        last = before(t, inner_t)
        inner = self._ahead(pick(states, last), inner_t - t.gather(2, last))
        outer = self._states(states[:, :, -1], outer_t - t[..., -1:])
        return self.decoder(inner), self.decoder(outer)


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of N(mean, variance) from N(0, 1), in nat, summed over the last dimension."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)
