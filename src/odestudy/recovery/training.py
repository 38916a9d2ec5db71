"""Training one model for each seed, all of them as one batch, by shooting through a solver."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from tqdm import trange

from odestudy.integrate import named_failure
from odestudy.outcome import NumericalFailure, Row
from odestudy.recovery.shooting import SHOOTING, Shooting
from odestudy.systems.trajectories import Observed

if TYPE_CHECKING:
    from odestudy.ode import BatchedModels


def train(
    models: BatchedModels, data: list[Observed], spec: dict[str, Any], record: Callable[[int], None] = lambda i: None
) -> list[Row]:  # fmt: skip
    """Train in place; a row for each seed with status, cost and final loss.

    A model whose solve or loss fails keeps the weights that it had and takes no further part; the others go on.
    `record(i)` is called before iteration i and once at the end.
    """
    shooting = SHOOTING[spec.get("shooting", "windows")](models, data, spec)
    learnt = [*models.parameters(), *shooting.parameters()]
    optimizer = torch.optim.Adam(learnt, lr=spec["learning_rate"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, spec["iterations"])
    ended: dict[int, int] = {}
    losses: list[Tensor] = []
    seconds = 0.0
    for i in trange(spec["iterations"], desc=f"seeds {spec['seeds']}", disable=None, leave=False):
        record(i)
        clock = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        found = _gradients(shooting)
        ended |= {m: i for m in shooting.failures if m not in ended}
        if not shooting.alive.any():
            break
        models.step(optimizer, shooting.alive)
        if spec.get("schedule") == "cosine":
            schedule.step()
        losses.append(found.detach())
        seconds += time.perf_counter() - clock
    record(len(losses))
    cost = _cost(shooting, seconds, len(losses))
    return [_row(m, seed, shooting, ended, losses) | cost for m, seed in enumerate(spec["seeds"])]


def _gradients(shooting: Shooting) -> Tensor:
    """Losses (M,) of one step, their gradients left in the parameters; what fails is lost."""
    losses = shooting.losses()
    for m in (shooting.alive & ~torch.isfinite(losses.detach()).cpu()).nonzero()[:, 0].tolist():
        shooting.lose(m, NumericalFailure("non_finite", "the loss is not finite"))
    if shooting.alive.any():
        try:
            losses[shooting.alive].sum().backward()
        except Exception as error:
            failure = named_failure(error)
            if failure is None:
                raise
            shooting.lose(0, failure)  # only a model that trains alone has a gradient that can fail
    gradients = [p.grad.flatten(1) for p in shooting.models.parameters() if p.grad is not None]
    if gradients:
        finite = torch.isfinite(torch.cat(gradients, 1)).all(1).cpu()
        for m in (shooting.alive & ~finite).nonzero()[:, 0].tolist():
            shooting.lose(m, NumericalFailure("non_finite", "the gradient is not finite"))
    return losses


def _cost(shooting: Shooting, seconds: float, done: int) -> Row:
    """Time of the whole batch; evaluations and steps an iteration, and memory of one step, of one model."""
    from odestudy.measure.memory import (
        saved_for_backward_mib,
    )  # imports what starting a job need not wait for

    forward, backward = shooting.counted.take()
    nfe, _, accepted, rejected = shooting.cost / max(done, 1)
    cost: Row = {
        "train_s": seconds,
        "nfe_forward": nfe + forward / max(done, 1),
        "nfe_backward": backward / max(done, 1),
        "accepted_steps": accepted,
        "rejected_steps": rejected,
    }
    if shooting.alive.any():
        cost["saved_mib"] = saved_for_backward_mib(shooting.losses) / int(shooting.alive.sum())
    return cost


def _row(m: int, seed: int, shooting: Shooting, ended: dict[int, int], losses: list[Tensor]) -> Row:
    done = losses[: ended.get(m, len(losses))]
    tail = done[-max(len(done) // 10, 1) :]
    row: Row = {"seed": seed, "status": "ok", "message": "", "iterations_done": len(done)}
    row["train_loss"] = float(torch.stack(tail)[:, m].mean()) if tail else None
    if m in shooting.failures:
        failure = shooting.failures[m]
        row |= {"status": failure.status, "message": f"iteration {ended.get(m, len(losses))}: {failure}"}
    return row
