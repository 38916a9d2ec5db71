"""Images: time and memory of one training step (claims C04, C12b, C29)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from odestudy.integrate import Solver
from odestudy.learning.arms import images_of, new_net, solver_of
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


TASKS = {"cost": cost, "stages": stages}
