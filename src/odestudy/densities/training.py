"""Training by maximum likelihood: any density with a gradient, and a flow under one formula."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from odestudy.densities.laws import Target
from odestudy.densities.matching import COUPLINGS, velocity_error
from odestudy.densities.transport import Grid, log_density
from odestudy.runtime.outcome import NumericalFailure

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Course:
    """How long and how fast: Adam, its learning rate falling along a cosine, gradients clipped at a norm of 10.

    Attributes:
        iterations: their number, or None where `seconds` says when it ends.
        seconds: processor time allowed; the iteration that is under way when it is over is the last.
    """

    iterations: int | None
    learning_rate: float
    seconds: float = math.inf

    def share(self, iterations: int, seconds: float) -> float:
        """How much of the course is over, from 0 to 1."""
        told = iterations / self.iterations if self.iterations is not None else seconds / self.seconds
        return min(1.0, told)


@dataclass(frozen=True)
class Recipe:
    """How a flow is trained: fresh samples in every iteration."""

    formula: str
    grid: Grid
    iterations: int
    batch: int
    learning_rate: float


@dataclass(frozen=True)
class Fitted:
    """What a training leaves beside the weights.

    Attributes:
        train_loss: mean over the last tenth, in nat.
        late_gain_nat: by how much the mean loss fell from the last fifth but one to the last.
        train_s: processor time taken, which other jobs on the machine do not lengthen.
        iterations: their number.
    """

    train_loss: float
    late_gain_nat: float
    train_s: float
    iterations: int


def maximise(
    net: nn.Module,
    log_prob: Callable[[Batch], Tensor],
    draw: Callable[[], Batch],
    course: Course,
    title: str | None,
    look: Callable[[int], bool | None] = lambda iteration: None,
) -> Fitted:
    """Train the parameters of `net` in place, so that `log_prob` of what `draw` gives is large.

    `look` is called after each iteration with their number so far; training ends where it returns True. Progress is
    shown on a terminal under a title, where there is one.

    Raises:
        NumericalFailure: the loss is not finite.
    """
    optimizer = torch.optim.Adam(net.parameters(), lr=course.learning_rate)
    losses: list[float] = []
    clock = time.process_time()

    def over() -> float:
        return course.share(len(losses), time.process_time() - clock)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: (1 + math.cos(math.pi * over())) / 2)
    hidden = None if title else True  # None: where no terminal looks
    with tqdm(total=course.iterations, desc=title, disable=hidden, leave=False) as bar:
        while over() < 1:
            loss = -log_prob(draw()).mean()
            if not torch.isfinite(loss):
                raise NumericalFailure("non_finite", f"loss is not finite at iteration {len(losses)}")
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 10.0)
            optimizer.step()
            losses.append(float(loss.detach()))
            schedule.step()
            bar.update()
            if look(len(losses)):
                break
    return Fitted(_tail(losses, 10), _late_gain(losses), time.process_time() - clock, len(losses))


def _tail(losses: list[float], share: int) -> float:
    return float(np.mean(losses[-max(1, len(losses) // share) :]))


def _late_gain(losses: list[float]) -> float:
    fifth = max(1, len(losses) // 5)
    return float(np.mean(losses[-2 * fifth : -fifth] or losses)) - _tail(losses, 5)


def fit(field: nn.Module, target: Target, recipe: Recipe, seed: int) -> Fitted:
    """Train `field` in place on samples of `target`.

    Raises:
        NumericalFailure: the loss is not finite.
    """
    like = next(field.parameters())
    rng = np.random.default_rng([seed, 1])
    torch.manual_seed(seed)
    return maximise(
        field,
        lambda x: log_density(field, x, recipe.grid, recipe.formula),
        lambda: target.sample(recipe.batch, rng).to(like),
        Course(recipe.iterations, recipe.learning_rate),
        f"seed {seed}",
    )


def match(
    field: nn.Module, draw: Callable[[int], Tensor], coupling: str, batch: int, course: Course, seed: int
) -> Fitted:
    """Train `field` in place by flow matching on what `draw` gives, a batch of data (n, d)."""
    COUPLINGS[coupling](
        torch.zeros(2, 1), torch.zeros(2, 1)
    )  # what it imports is loaded before the clock runs
    torch.manual_seed(seed)
    return maximise(
        field,
        lambda x: -velocity_error(field, x, coupling),
        lambda: draw(batch).to(next(field.parameters())),
        course,
        f"seed {seed}",
    )
