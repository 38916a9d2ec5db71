"""Error against step, for every method of odestudy.ode that takes fixed steps (claim C02)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from odestudy.learning.attempt import attempt
from odestudy.measure.fits import log_slope
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
from odestudy.questions.gradients.params import Order
from odestudy.questions.gradients.problems import Problem, problem_of
from odestudy.runtime.outcome import Outcome, Row

# Points of a fit; errors below carry rounding, those above are not asymptotic.
FINEST, FLOOR, COARSE = 5, 1e-12, 0.5


def order(params: Order, device: str) -> Outcome:
    """Fixed steps of every method that takes them on y' = y, y(0) = 2 and on a nonlinear problem.

    Rows `runs`: one a method, at `steps` steps on the first problem. `convergence`: one a problem, method and number
    of steps. `fits`: one a problem and method. Arrays: the solutions of `pictures` on the first problem.
    """
    seed = params.seeds[0]
    first = problem_of(params.problems[0])
    rows: dict[str, list[Row]] = {"runs": [], "convergence": [], "fits": []}
    for method in OURS:
        if takes_fixed_steps(method):
            row: Row = {"seed": seed, "method": method, "steps": params.steps, "status": "ok", "message": ""}
            rows["runs"].append(row | attempt(_run, first, method, params.steps))
            for entry in params.problems:
                found, fit = _converge(problem_of(entry), method, params.halvings)
                common = {"seed": seed, "problem": entry.name, "method": method}
                rows["convergence"] += [common | one for one in found]
                rows["fits"].append(common | fit)
    t = torch.linspace(0, first.t1, params.steps + 1, dtype=torch.float64)
    arrays = {method: _states(first, method, t) for method in params.pictures}
    return Outcome(rows, {"t": t.numpy(), **arrays})


def _states(problem: Problem, method: str, t: Tensor) -> np.ndarray:
    """The solution with steps from one of the times to the next, shape (len(t),)."""
    ys = solution(problem, method, t=t, grid=t).ys
    assert isinstance(ys, Tensor), "one tensor in, one tensor out"
    return ys[:, 0, 0].numpy()


def _run(problem: Problem, method: str, steps: int) -> Row:
    found = solution(problem, method, grid=even_grid(problem, steps), **NEWTON)
    return {"error_pct": 100 * error_of(found, truth_of(problem)), "nfe": found.stats.nfe}


def _converge(problem: Problem, method: str, halvings: int) -> tuple[list[Row], Row]:
    """The step falls by the square root of two from one row to the next, until rounding has it."""
    truth, options = truth_of(problem), OPTIONS.get(method)

    def at(steps: int) -> Row:
        found = solution(problem, method, grid=even_grid(problem, steps), options=options, **NEWTON)
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
