"""One training loop for all arms and all seeds of a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor
from tqdm import trange

from odestudy.measure.clock import now_s
from odestudy.questions.timeseries.arms import Model
from odestudy.questions.timeseries.series import Series
from odestudy.runtime.outcome import Row

CLIP = 5.0  # norm of a seed's gradient


@dataclass(frozen=True)
class Recipe:
    """Adam on batches of `batch` series, learning rate falling along a cosine."""

    iterations: int
    batch: int
    learning_rate: float
    noise: float  # standard deviation of the likelihood


@dataclass(frozen=True)
class Curve:
    """Loss of each iteration and seed, in nat a value, (iterations, S), and the time of all, in seconds."""

    loss: np.ndarray
    train_s: float

    def failure(self, seed: int) -> Row:
        """In which iteration the loss of the seed of this number stopped being finite; nothing where it did not."""
        bad = np.flatnonzero(~np.isfinite(self.loss[:, seed]))
        if not len(bad):
            return {}
        i = int(bad[0])
        return {"status": "non_finite", "message": f"iteration {i}: the loss is not finite", "failed_step": i}


def generators_of(seeds: Sequence[int], purpose: int) -> list[Generator]:
    """One random generator a seed; a `purpose` of its own for each use, so that they do not repeat each other."""
    return [torch.Generator().manual_seed(1000 * seed + purpose) for seed in seeds]


def train(model: Model, data: Series, recipe: Recipe, seeds: Sequence[int], device: str) -> Curve:
    """Train the nets of all seeds in place, each on its own series `data` (S, N, ...).

    A seed whose loss stops being finite stays so and disturbs no other.
    """
    orders, noises = generators_of(seeds, 1), generators_of(seeds, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.iterations)
    rows = torch.arange(len(seeds), device=data.t.device)[:, None]
    count, losses, clock = data.t.shape[1], [], now_s(device)
    for _ in trange(recipe.iterations, desc="train", disable=None, leave=False):
        chosen = torch.stack([torch.randperm(count, generator=g)[: recipe.batch] for g in orders])
        chosen = chosen.to(data.t.device)
        loss = model.loss(data.t[rows, chosen], data.x[rows, chosen], recipe.noise, noises)
        optimizer.zero_grad(set_to_none=True)
        loss.sum().backward()
        clip_by_seed(list(model.parameters()), CLIP)
        optimizer.step()
        schedule.step()
        losses.append(loss.detach())
    return Curve(torch.stack(losses).cpu().numpy(), now_s(device) - clock)


def clip_by_seed(parameters: list[Tensor], most: float) -> None:
    """Shorten each seed's gradient to the norm `most`; parameters have the seeds as first dimension."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = torch.stack([g.flatten(1).norm(dim=1) for g in gradients]).norm(dim=0)
    factor = (most / norm).clamp(max=1.0)
    for g in gradients:
        g.mul_(factor.reshape(-1, *[1] * (g.ndim - 1)))
