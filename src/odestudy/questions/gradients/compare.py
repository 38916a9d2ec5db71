"""Evaluations, products, memory and time of a gradient with an adaptive solver (C04, C29)."""

from __future__ import annotations

from itertools import product

from odestudy.integrate import integrate
from odestudy.learning.attempt import attempt
from odestudy.measure.clock import time_repeats
from odestudy.measure.memory import saved_for_backward_mib
from odestudy.questions.gradients.gradient import counted, gradient_of, missing, solver_of
from odestudy.questions.gradients.params import Compare
from odestudy.questions.gradients.problems import Problem, mlp, moved
from odestudy.runtime.outcome import Outcome, Row


def compare(params: Compare, device: str) -> Outcome:
    """Evaluations, products, memory and time of a gradient with an adaptive solver, on nets of a few sizes.

    Rows `runs`: one a seed (initialisation), size, tolerance and arm.
    """
    arms = [arm for arm in params.arms if not missing(arm)]
    rows: list[Row] = []
    for seed, (size, net), rtol, arm in product(params.seeds, params.sizes.items(), params.tolerances, arms):
        problem = moved(mlp(horizon=params.horizon, seed=seed, **net.model_dump()), device, params.dtype)
        row: Row = {"seed": seed, "size": size, "rtol": rtol, "arm": arm, "status": "ok", "message": ""}
        rows.append(row | attempt(_compared, problem, arm, rtol, params.repeats, device))
    return Outcome({"runs": rows})


def _compared(problem: Problem, arm: str, rtol: float, repeats: int, device: str) -> Row:
    solver = solver_of(arm, rtol=rtol, atol=rtol / 100)
    found = gradient_of(problem, solver)
    row = counted(found.nfe, found.nfe_backward, arm)
    y0 = problem.y0.clone().requires_grad_()
    row["saved_mib"] = saved_for_backward_mib(lambda: integrate(problem.f, y0, problem.times(), solver))
    return row | time_repeats(lambda: gradient_of(problem, solver), device, repeats=repeats)
