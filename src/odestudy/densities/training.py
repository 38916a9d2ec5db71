"""Training a flow by maximum likelihood under one formula."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from tqdm import trange

from odestudy.densities.targets import Target
from odestudy.densities.transport import Grid, log_density
from odestudy.outcome import NumericalFailure


@dataclass(frozen=True)
class Recipe:
    """How a flow is trained: fresh samples in every iteration, Adam, learning rate falling along a cosine."""

    formula: str
    grid: Grid
    iterations: int
    batch: int
    learning_rate: float


@dataclass(frozen=True)
class Fitted:
    """What a training leaves beside the weights: mean loss over the last tenth (nat), and its time."""

    train_loss: float
    train_s: float


def fit(field: nn.Module, target: Target, recipe: Recipe, seed: int) -> Fitted:
    """Train `field` in place on samples of `target`.

    Raises:
        NumericalFailure: the loss is not finite.
    """
    like = next(field.parameters())
    rng = np.random.default_rng([seed, 1])
    torch.manual_seed(seed)
    optimizer = torch.optim.Adam(field.parameters(), lr=recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.iterations)
    losses, clock = [], time.perf_counter()
    for i in trange(recipe.iterations, desc=f"seed {seed}", disable=None, leave=False):
        x = target.sample(recipe.batch, rng).to(like)
        loss = -log_density(field, x, recipe.grid, recipe.formula).mean()
        if not torch.isfinite(loss):
            raise NumericalFailure("non_finite", f"loss is not finite at iteration {i}")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(field.parameters(), 10.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
    tail = losses[-max(1, len(losses) // 10) :]
    return Fitted(float(np.mean(tail)), time.perf_counter() - clock)
