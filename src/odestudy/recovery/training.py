"""Training one model for each seed, all of them as one batch, by shooting through a solver."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from tqdm import trange

from odestudy.integrate import named_failure
from odestudy.recovery.shooting import SHOOTING, Shooting
from odestudy.runtime.outcome import NumericalFailure, Row
from odestudy.systems.trajectories import Observed

if TYPE_CHECKING:
    from odestudy.ode import BatchedModels


def train(
    models: BatchedModels, data: list[Observed], spec: dict[str, Any],
    record: Callable[[int], bool | None] = lambda i: None, bar: bool = True,
) -> list[Row]:  # fmt: skip
    """Train in place; a row for each seed with status and final loss, one of them with the cost of the batch.

    A model whose solve or loss fails keeps the weights that it had and takes no further part; the others go on.
    `record(i)` is called before iteration i and once at the end; training ends where it returns True. `bar` shows the
    progress on a terminal.

    Raises:
        Exception: something failed that several models do together; see odestudy.integrate.named_failure.
    """
    shooting = SHOOTING[spec.get("shooting", "windows")](models, data, spec)
    optimizer = torch.optim.Adam(_groups(shooting, spec))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, spec["iterations"])
    ended: dict[int, int] = {}
    losses: list[Tensor] = []
    seconds = 0.0
    hidden = None if bar else True  # None: where no terminal looks
    for i in trange(spec["iterations"], desc=f"seeds {spec['seeds']}", disable=hidden, leave=False):
        if record(i):
            break
        clock = time.perf_counter()
        found = step(shooting, optimizer)
        ended |= {m: i for m in shooting.failures if m not in ended}
        if not shooting.alive.any():
            break
        if spec.get("schedule") == "cosine":
            schedule.step()
        losses.append(found.detach())
        seconds += time.perf_counter() - clock
    record(len(losses))
    rows = [_row(m, seed, shooting, ended, losses) for m, seed in enumerate(spec["seeds"])]
    # The cost of a batch was measured once: it stands in one row, the first that ended well, not in five alike.
    next((row for row in rows if row["status"] == "ok"), rows[0]).update(
        _cost(shooting, seconds, len(losses))
    )
    return rows


def _groups(shooting: Shooting, spec: dict[str, Any]) -> list[dict[str, Any]]:
    """What is learnt, with rates: initial states of pieces take `start_rate` where there is one."""
    rate = spec["learning_rate"]
    groups = [
        {"params": list(shooting.models.parameters()), "lr": rate},
        {"params": shooting.parameters(), "lr": spec.get("start_rate", rate)},
    ]
    return [group for group in groups if group["params"]]


def step(shooting: Shooting, optimizer: torch.optim.Optimizer) -> Tensor:
    """One training step of the models that are alive; their losses (M,)."""
    optimizer.zero_grad(set_to_none=True)
    found = _gradients(shooting)
    if shooting.alive.any():
        shooting.models.step(optimizer, shooting.alive)
    return found


def _gradients(shooting: Shooting) -> Tensor:
    """Losses (M,) of one step, their gradients left in the parameters; a model that fails is lost.

    Raises:
        Exception: what several models do together failed, so that nobody can tell whose failure it is.
    """
    try:
        shooting.passing = "forward"
        losses = shooting.losses()
        for m in (shooting.alive & ~torch.isfinite(losses.detach()).cpu()).nonzero()[:, 0].tolist():
            shooting.lose(m, NumericalFailure("non_finite", "the loss is not finite"))
        shooting.passing = "backward"
        if shooting.alive.any():
            losses[shooting.alive].sum().backward()
    except Exception as error:
        failure = named_failure(error)
        if failure is None or len(shooting.data) > 1:
            raise
        shooting.lose(0, failure)
        return torch.full((1,), torch.nan)
    gradients = [p.grad.flatten(1) for p in shooting.models.parameters() if p.grad is not None]
    if gradients:
        finite = torch.isfinite(torch.cat(gradients, 1)).all(1).cpu()
        for m in (shooting.alive & ~finite).nonzero()[:, 0].tolist():
            shooting.lose(m, NumericalFailure("non_finite", "the gradient is not finite"))
    return losses


def _cost(shooting: Shooting, seconds: float, done: int) -> Row:
    """Of one model of the batch: its share of the time; evaluations and steps an iteration; memory of one step."""
    from odestudy.measure.memory import (
        saved_for_backward_mib,
    )  # imports what starting a job need not wait for

    shooting.cost[:2] += shooting.counted.take()
    forward, backward, accepted, rejected = shooting.cost / max(done, 1)
    cost: Row = {
        "train_s": seconds / len(shooting.data),
        "seeds_in_batch": len(shooting.data),
        "nfe_forward": forward,
        "nfe_backward": backward,
        "accepted_steps": accepted,
        "rejected_steps": rejected,
    }
    # rodas5p differentiates f forwards, through tensors without a storage that could be sized.
    if shooting.alive.any() and shooting.solver.method != "rodas5p":
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
        row |= {"failed_step": ended.get(m, len(losses)), "failed_in": shooting.failed_in[m]}
    return row
