"""Images: time and memory of one training step (claims C04, C11, C12, C29)."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from odestudy.integrate import Solver
from odestudy.learning.arms import Fit, images_of, new_fit, new_net, solver_of
from odestudy.learning.attempt import attempt
from odestudy.measure.clock import time_repeats
from odestudy.measure.memory import peak_mib, saved_for_backward_mib
from odestudy.nets.images import Classifier, is_ode
from odestudy.runtime.outcome import Outcome, Row


def cost(spec: dict[str, Any], device: str) -> Outcome:
    """Time and memory of one training step of a fresh net, against depth or the number of solver steps.

    Rows `runs`: one for each of `steps` (Euler steps of an ODE-Net, blocks of a ResNet), and for an ODE-Net one
    with the adaptive solver (`steps` null).
    """
    seed = spec["seeds"][0]
    x, y = _batch(spec, device)
    rows: list[Row] = []
    ode = is_ode(spec["arm"])
    for steps in [*spec["steps"], *([None] if ode else [])]:
        if ode:
            changes = {} if steps is None else {"method": "euler", "step": 1.0 / steps}
            net = new_net(spec, seed, solver_of(spec, **changes))
        else:
            net = new_net({**spec, "arm": {**spec["arm"], "blocks": steps}}, seed)
        net = net.to(device)
        row: Row = {"seed": seed, "steps": steps, "parameters": net.parameter_count()}
        rows.append(row | attempt(_memory_and_time, net, x, y, spec, device))
    return Outcome({"runs": rows})


def stages(spec: dict[str, Any], device: str) -> Outcome:
    """Time of one training step against the solver's stages over its step size, k / h.

    Rows `runs`: one for each seed, method and number of steps; `nfe_forward` is k / h as it is counted.
    """
    x, y = _batch(spec, device)
    rows: list[Row] = []
    for seed in spec["seeds"]:
        for method in spec["methods"]:
            for steps in spec["steps"]:
                net = new_net(spec, seed, _fixed(spec, method, steps)).to(device)
                row: Row = {"seed": seed, "method": method, "steps": steps}
                rows.append(row | attempt(_time, net, x, y, spec, device))
    return Outcome({"runs": rows})


def step(spec: dict[str, Any], device: str) -> Outcome:
    """Time of one whole training step, Adam included, of a fresh net and again when it has been trained a little.

    Rows `runs`: one a seed; `step_s` is the mean of both times, which times the steps of a training is the time that
    this would take alone on the machine.
    """
    data = images_of(spec, device)
    rows: list[Row] = []
    for seed in spec["seeds"]:
        fit = new_fit(spec, data, seed, device)

        def measured(fit: Fit = fit, seed: int = seed) -> Row:
            before = _step_alone(fit, data.train, spec["repeats"], device)
            fit.run(data, spec["eval_batch"], f"seed{seed}")
            after = _step_alone(fit, data.train, spec["repeats"], device)
            return {
                "before_s": before["wall_s"],
                "after_s": after["wall_s"],
                "step_s": (before["wall_s"] + after["wall_s"]) / 2,
                "noisy": bool(before.get("noisy") or after.get("noisy")),
                "nfe_forward": after["nfe_forward"],
                "nfe_backward": after["nfe_backward"],
            }

        rows.append({"seed": seed, "batch": spec["batch"]} | attempt(measured))
    return Outcome({"runs": rows})


def _step_alone(fit: Fit, train: tuple[Tensor, Tensor], repeats: int, device: str) -> Row:
    """Times of a step by a copy of the net, with a learning rate of 0, so that every repeat does the same work."""
    net = copy.deepcopy(fit.net).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.0)
    x, y = (part[: fit.recipe.batch] for part in train)

    def work() -> None:
        with fit.recipe.precision(device):
            loss = _loss(net, x, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    net.take_nfe()
    work()
    forward, backward = net.take_nfe()
    return {"nfe_forward": forward, "nfe_backward": backward} | time_repeats(work, device, repeats=repeats)


def _fixed(spec: dict[str, Any], method: str, steps: int) -> Solver:
    return solver_of(spec, method=method, step=1.0 / steps)


def _batch(spec: dict[str, Any], device: str) -> tuple[Tensor, Tensor]:
    data = images_of(spec | {"train_size": spec["batch"]}, device)
    return data.train


def _loss(net: Classifier, x: Tensor, y: Tensor) -> Tensor:
    return nn.functional.cross_entropy(net(x), y)


def _time(net: Classifier, x: Tensor, y: Tensor, spec: dict[str, Any], device: str) -> Row:
    def step() -> None:
        net.zero_grad(set_to_none=True)
        _loss(net, x, y).backward()

    net.take_nfe()
    step()
    forward, backward = net.take_nfe()
    row: Row = {"nfe_forward": forward, "nfe_backward": backward}
    return row | time_repeats(step, device, repeats=spec["repeats"])


def _memory_and_time(net: Classifier, x: Tensor, y: Tensor, spec: dict[str, Any], device: str) -> Row:
    row: Row = {
        "saved_mib": saved_for_backward_mib(lambda: _loss(net, x, y)),
        "peak_mib": peak_mib(lambda: _loss(net, x, y).backward(), device),
    }
    return row | _time(net, x, y, spec, device)


TASKS = {"cost": cost, "stages": stages, "step": step}
