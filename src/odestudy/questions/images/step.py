"""Time of one whole training step, alone on the machine (claims C11, C12)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from odestudy.learning.attempt import attempt
from odestudy.measure.clock import time_repeats
from odestudy.questions.images.arms import images_of
from odestudy.questions.images.fit import Fit, new_fit
from odestudy.questions.images.one_step import loss_of
from odestudy.questions.images.params import Step
from odestudy.runtime.outcome import Outcome, Row


def step(params: Step, device: str) -> Outcome:
    """Time of one whole training step, Adam included, of a fresh net and again when it has been trained a little.

    Rows `runs`: one a seed; `step_s` is the mean of both times, which times the steps of a training is the time that
    this would take alone on the machine.
    """
    data = images_of(params, device, params.train_size)
    rows: list[Row] = []
    for seed in params.seeds:
        fit = new_fit(params, data, seed, device)

        def measured(fit: Fit = fit, seed: int = seed) -> Row:
            before = _step_alone(fit, data.train, params.repeats, device)
            fit.run(data, params.eval_batch, f"seed{seed}")
            after = _step_alone(fit, data.train, params.repeats, device)
            return {
                "before_s": before["wall_s"],
                "after_s": after["wall_s"],
                "step_s": (before["wall_s"] + after["wall_s"]) / 2,
                "noisy": bool(before.get("noisy") or after.get("noisy")),
                "nfe_forward": after["nfe_forward"],
                "nfe_backward": after["nfe_backward"],
            }

        rows.append({"seed": seed, "batch": params.batch} | attempt(measured))
    return Outcome({"runs": rows})


def _step_alone(fit: Fit, train: tuple[Tensor, Tensor], repeats: int, device: str) -> Row:
    """Times of a step by a copy of the net, with a learning rate of 0, so that every repeat does the same work."""
    net = copy.deepcopy(fit.net).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.0)
    x, y = (part[: fit.recipe.batch] for part in train)

    def work() -> None:
        with fit.recipe.precision(device):
            loss = loss_of(net, x, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    net.take_nfe()
    work()
    forward, backward = net.take_nfe()
    return {"nfe_forward": forward, "nfe_backward": backward} | time_repeats(work, device, repeats=repeats)
