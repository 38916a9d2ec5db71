"""The cost of one training step, timed alone after a warm-up (claim C18)."""

from __future__ import annotations

from typing import Any

import torch

from odestudy.learning.attempt import attempt
from odestudy.measure.clock import time_repeats
from odestudy.measure.memory import saved_for_backward_mib
from odestudy.questions.dynamics.params import Steps, settings
from odestudy.recovery.draws import DATA, draws
from odestudy.recovery.learning import make_model
from odestudy.recovery.shooting import SHOOTING
from odestudy.recovery.training import step
from odestudy.recovery.units import units_of
from odestudy.runtime.outcome import Outcome, Row
from odestudy.systems.trajectories import observe


def steps(p: Steps, device: str) -> Outcome:
    """Time and memory of a training step of one model, for each seed by itself.

    Rows `runs`: one a seed with median and quartiles of `repeats` steps, their product with `iterations` as the time of
    a training, evaluations of a step and memory kept for its backward pass.
    """
    spec = settings(p)
    return Outcome({"runs": [{"seed": seed} | attempt(_cost, seed, spec, device) for seed in spec["seeds"]]})


def _cost(seed: int, spec: dict[str, Any], device: str) -> Row:
    from odestudy.ode import BatchedModels

    data = observe(spec, draws(spec, seed, DATA))
    models = BatchedModels([make_model(spec, data.truth.shape[-1], seed, device)])
    scaled = [units_of(spec, [data]).scaled(data)]
    shooting = SHOOTING[spec["shooting"]](models, scaled, spec | {"seeds": [seed]})
    learnt = [*models.parameters(), *shooting.parameters()]
    optimizer = torch.optim.Adam(learnt, lr=spec["learning_rate"])

    def work() -> None:
        step(shooting, optimizer)
        for failure in shooting.failures.values():
            raise failure

    found = time_repeats(work, device, repeats=spec["repeats"])
    before = shooting.cost[0]
    return {
        **{name.replace("wall_", "step_"): value for name, value in found.items()},
        "train_s": found["wall_s"] * spec["iterations"],
        "saved_mib": saved_for_backward_mib(shooting.losses),
        "nfe_forward": shooting.cost[0] - before,
    }
