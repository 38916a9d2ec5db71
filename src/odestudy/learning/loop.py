"""The train loop, the same for every arm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn
from tqdm import tqdm

from odestudy.learning.augment import random_crop
from odestudy.learning.checkpoint import Checkpoint, Training
from odestudy.learning.recipe import Recipe
from odestudy.measure.clock import now_s
from odestudy.runtime.outcome import NumericalFailure, Row

LOOK_EVERY = 50  # steps between two looks at whether the loss is finite: each look waits for a GPU


def make_training(net: nn.Module, recipe: Recipe, images: int, seed: int, device: str) -> Training:
    """A training before its first step; the order of the data depends on the seed alone, not on arm or device."""
    optimizer = torch.optim.Adam(net.parameters(), lr=recipe.learning_rate)
    generators = {"order": Generator().manual_seed(seed), "augment": Generator(device).manual_seed(seed)}
    return Training(net, optimizer, recipe.make_schedule(optimizer, images), generators, [])


def train(
    training: Training,
    data: tuple[Tensor, Tensor],
    recipe: Recipe,
    checkpoint: Checkpoint,
    after_epoch: Callable[[], Row],
) -> None:
    """Train to the last epoch, from where the checkpoint left it.

    Args:
        data: images (n, c, h, w) and classes (n,), on the device.
        after_epoch: called when an epoch is done; what it returns joins the epoch's row.

    Raises:
        NumericalFailure: the loss is not finite, or a solver gave up.
    """
    checkpoint.load(training)
    first = len(training.rows) + 1
    total = recipe.steps(len(data[0]))
    with tqdm(
        total=total * recipe.epochs, initial=total * (first - 1), disable=None, leave=False
    ) as progress:
        for epoch in range(first, recipe.epochs + 1):
            row = _epoch(training, data, recipe, epoch, progress)
            training.rows.append(row | after_epoch())
            checkpoint.save(training)


def _epoch(training: Training, data: tuple[Tensor, Tensor], recipe: Recipe, epoch: int, progress: Any) -> Row:
    net: Any = training.net
    net.train()
    net.take_nfe()  # what was evaluated outside training does not count
    device = str(data[0].device)
    begun = now_s(device)
    order = torch.randperm(len(data[0]), generator=training.generators["order"]).to(device)
    losses: list[Tensor] = []
    forward = backward = 0
    for index in order.split(recipe.batch):
        losses.append(_step(training, data[0][index], data[1][index], recipe))
        counts = net.take_nfe()
        forward, backward = forward + counts[0], backward + counts[1]
        progress.update()
        if len(losses) % LOOK_EVERY == 0:
            _refuse_non_finite(losses[-LOOK_EVERY:], epoch)
    _refuse_non_finite(losses, epoch)
    return {
        "epoch": epoch,
        "epoch_s": now_s(device) - begun,
        "train_loss": float(torch.stack(losses).mean()),
        "nfe_forward": forward / len(losses),
        "nfe_backward": backward / len(losses),
    }


def _step(training: Training, x: Tensor, y: Tensor, recipe: Recipe) -> Tensor:
    """One step of Adam; the loss stays on the device, so that nothing waits for it."""
    if recipe.augment:
        x = random_crop(x, training.generators["augment"])
    with recipe.precision(str(x.device)):
        loss = nn.functional.cross_entropy(training.net(x), y)
    training.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    training.optimizer.step()
    training.schedule.step()
    return loss.detach()


def _refuse_non_finite(losses: list[Tensor], epoch: int) -> None:
    if not bool(torch.isfinite(torch.stack(losses)).all()):
        raise NumericalFailure("non_finite", f"the loss is not finite in epoch {epoch}")
