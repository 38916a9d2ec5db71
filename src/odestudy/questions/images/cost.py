"""Time and memory of one training step against depth or steps (claims C04, C29)."""

from __future__ import annotations

from odestudy.learning.attempt import attempt
from odestudy.questions.images.arms import images_of, integrates, new_net, solver_of
from odestudy.questions.images.one_step import memory_and_time_of
from odestudy.questions.images.params import Cost
from odestudy.runtime.outcome import Outcome, Row


def cost(params: Cost, device: str) -> Outcome:
    """Time and memory of one training step of a fresh net, against depth or the number of solver steps.

    Rows `runs`: one for each of `steps` (Euler steps of an ODE-Net, blocks of a ResNet), and for an ODE-Net one
    with the adaptive solver (`steps` null).
    """
    seed = params.seeds[0]
    x, y = images_of(params, device, params.batch).train
    rows: list[Row] = []
    ode = integrates(params)
    for steps in [*params.steps, *([None] if ode else [])]:
        if ode:
            changes = {} if steps is None else {"method": "euler", "step": 1.0 / steps}
            net = new_net(params, seed, solver_of(params, **changes))
        else:
            deeper = params.arm.model_copy(update={"blocks": steps})
            net = new_net(params.model_copy(update={"arm": deeper}), seed)
        net = net.to(device)
        row: Row = {"seed": seed, "steps": steps, "parameters": net.parameter_count()}
        rows.append(row | attempt(memory_and_time_of, net, x, y, params.repeats, device))
    return Outcome({"runs": rows})
