"""Time of one training step against the solver's stages over its step size, k / h (claim C12)."""

from __future__ import annotations

from odestudy.learning.attempt import attempt
from odestudy.questions.images.arms import images_of, new_net, solver_of
from odestudy.questions.images.one_step import time_of
from odestudy.questions.images.params import Stages
from odestudy.runtime.outcome import Outcome, Row


def stages(params: Stages, device: str) -> Outcome:
    """Time of one training step of fixed-step methods.

    Rows `runs`: one for each seed, method and number of steps; `nfe_forward` is k / h as it is counted.
    """
    x, y = images_of(params, device, params.batch).train
    rows: list[Row] = []
    for seed in params.seeds:
        for method in params.methods:
            for steps in params.steps:
                net = new_net(params, seed, solver_of(params, method=method, step=1.0 / steps)).to(device)
                row: Row = {"seed": seed, "method": method, "steps": steps}
                rows.append(row | attempt(time_of, net, x, y, params.repeats, device))
    return Outcome({"runs": rows})
