"""Error against evaluations and time, with every method of odestudy.ode (claim C02)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from torch import Tensor

from odestudy.learning.attempt import attempt
from odestudy.measure.clock import now_s, time_repeats
from odestudy.ode import Solution
from odestudy.ode._methods import make_stepper
from odestudy.questions.gradients.methods import (
    NEWTON,
    OPTIONS,
    OURS,
    error_of,
    even_grid,
    solution,
    takes_fixed_steps,
    truth_of,
)
from odestudy.questions.gradients.params import Work
from odestudy.questions.gradients.problems import Problem, problem_of
from odestudy.runtime.outcome import NumericalFailure, Outcome, Row

LONG_S = 0.25  # a solve that takes longer is not repeated, and has no time
MOST_STEPS = 2500  # more are no way to solve such small problems


def work(params: Work, device: str) -> Outcome:
    """One problem with every method, over tolerances where it adapts and over numbers of steps.

    Rows `runs`: one a method, kind of step and setting. `equal`: one a method and kind, what an error of `level` needs.
    """
    seed = params.seeds[0]
    problem = problem_of(params.problem)
    truth = truth_of(problem)
    rows: list[Row] = []
    for method in OURS:
        for kind, settings in _settings(method, problem, params):
            for name, setting in settings:
                row: Row = {"seed": seed, "method": method, "kind": kind, "status": "ok", "message": ""}
                row |= {"rtol" if kind == "adaptive" else "steps": name}
                rows.append(row | attempt(_measure, problem, truth, method, setting, params.repeats))
    return Outcome({"runs": rows, "equal": [{"seed": seed} | row for row in _equal(rows, params.level)]})


def _settings(
    method: str, problem: Problem, params: Work
) -> list[tuple[str, list[tuple[Any, dict[str, Any]]]]]:
    kinds = []  # type: list[tuple[str, list[tuple[Any, dict[str, Any]]]]]
    if make_stepper(method).error_power > 0:
        kinds.append(("adaptive", [(r, {"rtol": r, "atol": r / 100}) for r in params.tolerances]))
    elif takes_fixed_steps(method):
        kinds.append(
            ("fixed", [(n, {"grid": even_grid(problem, n), **NEWTON}) for n in params.numbers_of_steps])
        )
    return kinds


def _measure(problem: Problem, truth: Tensor, method: str, setting: dict[str, Any], repeats: int) -> Row:
    def work() -> Solution:
        return solution(problem, method, max_steps=MOST_STEPS, options=OPTIONS.get(method), **setting)

    begun = now_s()
    found = work()
    took, error = now_s() - begun, error_of(found, truth)
    if not math.isfinite(error) or error > 1e3:
        raise NumericalFailure("non_finite", f"the steps are unstable: relative error {error:.1g}")
    row: Row = {"error": error, "nfe": found.stats.nfe, "jacobians": found.stats.jacobians}
    return row | (time_repeats(work, "cpu", repeats=repeats, warmup=0) if took < LONG_S else {})


def _equal(rows: list[Row], level: float) -> list[Row]:
    """Evaluations and time at an error of `level`, between the two settings that enclose it; None where none do."""
    found = []
    for key in dict.fromkeys((r["method"], r["kind"]) for r in rows):
        mine = sorted(
            (r for r in rows if (r["method"], r["kind"]) == key and r.get("error", 0) > 0),
            key=lambda r: -r["error"],
        )
        row: Row = dict(zip(("method", "kind"), key, strict=True)) | {"level": level, "status": "ok"}
        logs = np.log([r["error"] for r in mine])
        reached = len(mine) > 1 and logs[-1] <= math.log(level) <= logs[0]
        for column in ("nfe", "wall_s"):
            values = np.log([r.get(column, np.nan) for r in mine])
            row[f"level_{column}"] = (
                float(np.exp(np.interp(-math.log(level), -logs, values))) if reached else None
            )
        found.append(row)
    return found
