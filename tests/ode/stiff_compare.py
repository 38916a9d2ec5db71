"""One solve of a stiff test problem, by ours or by scipy: its error against the reference, and what it cost."""

import json
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.integrate import solve_ivp
from stiff_problems import PROBLEMS

from odestudy.ode import Solution, solve

TOLERANCES = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)


class Result(NamedTuple):
    """`error` is the largest over times and components, each component's over its own largest size."""

    error: float
    accepted: int
    rejected: int
    nfe: int
    jacobians: int
    factorizations: int
    wall_s: float


@cache
def reference(name: str) -> np.ndarray:
    """States at the problem's times, shape [times, n], as make_stiff_reference.py found them."""
    made = json.loads((Path(__file__).parent / "stiff_reference.json").read_text())
    return np.array(made["problems"][name]["ys"])


def error(name: str, ys: np.ndarray) -> float:
    exact = reference(name)
    return float((np.abs(ys - exact).max(0) / np.abs(exact).max(0)).max())


def ours(name: str, method: str, tol: float, options: Mapping[str, Any] | None = None) -> Result:
    problem = PROBLEMS[name]
    begun = time.perf_counter()
    with torch.no_grad():
        solution: Solution = solve(
            lambda t, y: problem.f(t, y, torch),
            torch.tensor(problem.y0, dtype=torch.float64),
            problem.times,
            method=method,
            rtol=tol,
            atol=tol * problem.atol_per_rtol,
            options=options,
        ).raise_on_failure()
    wall, stats = time.perf_counter() - begun, solution.stats
    assert isinstance(solution.ys, torch.Tensor)
    return Result(
        error(name, solution.ys.numpy()),
        stats.accepted,
        stats.rejected,
        stats.nfe,
        stats.jacobians,
        stats.factorizations,
        wall,
    )


def scipys(name: str, method: str, tol: float) -> Result:
    problem = PROBLEMS[name]
    begun = time.perf_counter()
    solution = solve_ivp(
        lambda t, y: problem.f(t, y, np),
        (problem.times[0], problem.times[-1]),
        problem.y0,
        method,
        dense_output=True,
        rtol=tol,
        atol=tol * problem.atol_per_rtol,
    )
    wall = time.perf_counter() - begun
    assert solution.success, solution.message
    ys = solution.sol(np.array(problem.times)).T
    steps = len(solution.t) - 1
    return Result(error(name, ys), steps, 0, solution.nfev, solution.njev, solution.nlu, wall)
