"""Generators trained against a discriminator: a plain net, and a flow with or without its own likelihood."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from odestudy.densities.fields import Field
from odestudy.densities.laws import Target
from odestudy.densities.transport import Grid, log_density, path
from odestudy.runtime.outcome import NumericalFailure


@dataclass(frozen=True)
class Game:
    """How the two are trained.

    Attributes:
        likelihood: weight lambda of the generator's own NLL in its loss (Grover et al. 2018, Flow-GAN).
    """

    iterations: int
    batch: int
    learning_rate: float
    likelihood: float = 0.0


class PlainGenerator(nn.Module):
    """The flow's net without a flow: x = f(z) with f at t = 0, so the parameters are the same but for time."""

    def __init__(self, d: int, width: int) -> None:
        super().__init__()
        self.net = Field(d, width)
        self.net.time.requires_grad_(False).zero_()

    def forward(self, z: Tensor) -> Tensor:
        return self.net(torch.zeros((), dtype=z.dtype), z)


class FlowGenerator(nn.Module):
    """A flow as generator: from the base at t = 1 to the data at t = 0, by the solver with its time turned.

    That map and the one of `log_prob`, from data to base, stand for one ODE, but with a finite step neither is the
    inverse of the other: `mismatch` tells how far they are apart.
    """

    def __init__(self, d: int, width: int, grid: Grid) -> None:
        super().__init__()
        self.net, self.grid = Field(d, width), grid

    def forward(self, z: Tensor) -> Tensor:
        return path(lambda t, y: -self.net(1 - t, y), z, self.grid)[-1]

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density of the flow, by the trace, (n,)."""
        return log_density(self.net, x, self.grid, "structured_trace")

    def mismatch(self, z: Tensor) -> float:
        """Mean distance of base points z (n, d) from where the map of the density takes the samples made of them."""
        return float((path(self.net, self(z), self.grid)[-1] - z).norm(dim=1).mean())


def discriminator(d: int, width: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(d, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, 1),
    )


def play(generator: nn.Module, target: Target, game: Game, seed: int) -> float:
    """Train `generator` in place with the non-saturating loss (Goodfellow et al. 2014); the time taken, in s.

    Raises:
        NumericalFailure: a loss is not finite.
    """
    rng = np.random.default_rng([seed, 1])
    critic = discriminator(target.d, 64)
    ours, theirs = (
        torch.optim.Adam(
            [p for p in net.parameters() if p.requires_grad], lr=game.learning_rate, betas=(0.5, 0.999)
        )
        for net in (generator, critic)
    )
    clock = time.process_time()
    for i in range(game.iterations):
        x = target.sample(game.batch, rng).float()
        fake = generator(torch.randn(game.batch, target.d))
        _descend(theirs, softplus(-critic(x)).mean() + softplus(critic(fake.detach())).mean(), i)
        loss = softplus(-critic(fake)).mean()
        if game.likelihood:
            likelihood: Callable[[Tensor], Tensor] = generator.log_prob  # type: ignore[assignment]  # a module's attribute is typed as any
            loss = loss - game.likelihood * likelihood(x).mean()
        _descend(ours, loss, i)
    return time.process_time() - clock


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor, i: int) -> None:
    if not torch.isfinite(loss):
        raise NumericalFailure("non_finite", f"loss is not finite at iteration {i}")
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
