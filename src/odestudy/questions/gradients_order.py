"""Error against step, work and time, for every method of odestudy.ode (claim C02)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from odestudy.integrate import Solver, integrate
from odestudy.measure.clock import now_s, time_repeats
from odestudy.measure.fits import log_slope
from odestudy.ode import METHODS, Solution, solve
from odestudy.ode._methods import make_stepper
from odestudy.runtime.outcome import NumericalFailure, Outcome, Row
from odestudy.sensitivity.attempt import attempt
from odestudy.sensitivity.problems import Problem, problem_of

# Adams of four steps: the twelve that it takes otherwise are unstable with the steps of these problems.
OPTIONS = {method: {"max_order": 4} for method in ("explicit_adams", "implicit_adams", "fixed_adams")}
OURS = tuple(method for method in METHODS if method != "scipy_solver")
LONG_S = 0.25  # a solve that takes longer is not repeated, and has no time
MOST_STEPS = 2500  # more are no way to solve such small problems
# Points of a fit; errors below carry rounding, those above are not asymptotic.
FINEST, FLOOR, COARSE = 5, 1e-12, 0.5
# With fixed steps tolerances tell implicit methods alone when a stage is solved.
NEWTON: dict[str, Any] = {"rtol": 1e-11, "atol": 1e-12}


def order(spec: dict[str, Any], device: str) -> Outcome:
    """Fixed steps of every method that takes them on y' = y, y(0) = 2 and on a nonlinear problem.

    Rows `runs`: one a method, at `steps` steps on the first problem. `convergence`: one a problem, method and number
    of steps. `fits`: one a problem and method. Arrays: the solutions of `pictures` on the first problem.
    """
    seed = spec["seeds"][0]
    first = problem_of(spec["problems"][0])
    rows: dict[str, list[Row]] = {"runs": [], "convergence": [], "fits": []}
    for method in OURS:
        if takes_fixed_steps(method):
            row: Row = {"seed": seed, "method": method, "steps": spec["steps"], "status": "ok", "message": ""}
            rows["runs"].append(row | attempt(_run, first, method, spec["steps"]))
            for entry in spec["problems"]:
                found, fit = _converge(problem_of(entry), method, spec["halvings"])
                common = {"seed": seed, "problem": entry["name"], "method": method}
                rows["convergence"] += [common | one for one in found]
                rows["fits"].append(common | fit)
    t = torch.linspace(0, first.t1, spec["steps"] + 1, dtype=torch.float64)
    arrays = {method: _states(first, method, t) for method in spec["pictures"]}
    return Outcome(rows, {"t": t.numpy(), **arrays})


def _states(problem: Problem, method: str, t: Tensor) -> np.ndarray:
    """The solution with steps from one of the times to the next, shape (len(t),)."""
    ys = solution(problem, method, t=t, grid=t).ys
    assert isinstance(ys, Tensor), "one tensor in, one tensor out"
    return ys[:, 0, 0].numpy()


def takes_fixed_steps(method: str) -> bool:
    """Whether a grid can give the steps; a method that chooses by its error estimate needs that."""
    if method == "auto":
        return False
    try:
        make_stepper(method, fixed=True)
    except ValueError:
        return False
    return True


def solution(problem: Problem, method: str, t: Tensor | None = None, **settings: Any) -> Solution:
    """Raises NumericalFailure where it is not ok."""
    with torch.no_grad():
        found = solve(problem.f, problem.y0, problem.times() if t is None else t, method=method, **settings)
    if found.status != "ok":
        raise NumericalFailure(found.status, found.message)
    return found


def error_of(found: Solution, truth: Tensor) -> float:
    """Relative error at the end."""
    assert isinstance(found.ys, Tensor), "one tensor in, one tensor out"
    return float((found.ys[-1] - truth).norm() / truth.norm())


def truth_of(problem: Problem) -> Tensor:
    """The state at t1, in closed form or by dopri8 at a tolerance of 1e-13."""
    if problem.exact is not None:
        return problem.exact(problem.y0)
    with torch.no_grad():
        solver = Solver(method="dopri8", rtol=1e-13, atol=1e-14)
        return integrate(problem.f, problem.y0, problem.times(), solver)[-1]


def _grid(problem: Problem, steps: int) -> Tensor:
    return torch.linspace(0, problem.t1, steps + 1, dtype=torch.float64)


def _run(problem: Problem, method: str, steps: int) -> Row:
    found = solution(problem, method, grid=_grid(problem, steps), **NEWTON)
    return {"error_pct": 100 * error_of(found, truth_of(problem)), "nfe": found.stats.nfe}


def _converge(problem: Problem, method: str, halvings: int) -> tuple[list[Row], Row]:
    """The step falls by the square root of two from one row to the next, until rounding has it."""
    truth, options = truth_of(problem), OPTIONS.get(method)

    def at(steps: int) -> Row:
        found = solution(problem, method, grid=_grid(problem, steps), options=options, **NEWTON)
        return {"error": error_of(found, truth), "nfe": found.stats.nfe}

    rows: list[Row] = []
    for steps in (round(5 * 2 ** (k / 2)) for k in range(2 * halvings + 1)):
        row: Row = {"steps": steps, "step": problem.t1 / steps, "status": "ok", "message": ""}
        rows.append(row | attempt(at, steps))
        if rows[-1].get("error", 1.0) < FLOOR / 10:
            break
    return rows, _fit(rows, make_stepper(method, fixed=True, options=options).order)


def _fit(rows: list[Row], nominal: int) -> Row:
    """The order over the finest points that rounding does not touch."""
    good = [(r["step"], r["error"]) for r in rows if FLOOR < r.get("error", 0.0) < COARSE][-FINEST:]
    fit: Row = {"nominal": nominal, "points": len(good), "status": "ok", "message": ""}
    if len(good) < 3:
        return fit | {
            "status": "non_finite",
            "message": f"{len(good)} points between rounding and divergence",
        }
    slope = log_slope(*zip(*good, strict=True))
    return fit | {
        "order": slope.value, "order_low": slope.low, "order_high": slope.high, "order_gap": slope.value - nominal,
    }  # fmt: skip


def work(spec: dict[str, Any], device: str) -> Outcome:
    """One problem with every method, over tolerances where it adapts and over numbers of steps.

    Rows `runs`: one a method, kind of step and setting. `equal`: one a method and kind, what an error of `level` needs.
    """
    seed = spec["seeds"][0]
    problem = problem_of(spec["problem"])
    truth = truth_of(problem)
    rows: list[Row] = []
    for method in OURS:
        for kind, settings in _settings(method, problem, spec):
            for name, setting in settings:
                row: Row = {"seed": seed, "method": method, "kind": kind, "status": "ok", "message": ""}
                row |= {"rtol" if kind == "adaptive" else "steps": name}
                rows.append(row | attempt(_measure, problem, truth, method, setting, spec["repeats"]))
    return Outcome({"runs": rows, "equal": [{"seed": seed} | row for row in _equal(rows, spec["level"])]})


def _settings(
    method: str, problem: Problem, spec: dict[str, Any]
) -> list[tuple[str, list[tuple[Any, dict[str, Any]]]]]:
    kinds = []
    if make_stepper(method).error_power > 0:
        kinds.append(("adaptive", [(r, {"rtol": r, "atol": r / 100}) for r in spec["tolerances"]]))
    elif takes_fixed_steps(method):
        kinds.append(
            ("fixed", [(n, {"grid": _grid(problem, n), **NEWTON}) for n in spec["numbers_of_steps"]])
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


TASKS = {"order": order, "work": work}
