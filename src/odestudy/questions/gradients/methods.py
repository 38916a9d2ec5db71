"""Solves of small problems by every method of odestudy.ode, and their errors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from odestudy.integrate import Solver, integrate
from odestudy.ode import METHODS, Solution, solve
from odestudy.ode._methods import make_stepper
from odestudy.questions.gradients.problems import Problem
from odestudy.runtime.outcome import NumericalFailure

# Adams of four steps: the eleven that it takes otherwise are unstable with the steps of these problems.
OPTIONS = {method: {"max_order": 4} for method in ("explicit_adams", "implicit_adams", "fixed_adams")}
OURS = tuple(method for method in METHODS if method != "scipy_solver")
# With fixed steps tolerances tell implicit methods alone when a stage is solved.
NEWTON: dict[str, Any] = {"rtol": 1e-11, "atol": 1e-12}


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
        found = solve(
            problem.f, problem.y0, problem.times() if t is None else t, method=method, throw=False, **settings
        )
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


def even_grid(problem: Problem, steps: int) -> Tensor:
    """Times of so many steps of one length, shape (steps + 1,)."""
    return torch.linspace(0, problem.t1, steps + 1, dtype=torch.float64)
