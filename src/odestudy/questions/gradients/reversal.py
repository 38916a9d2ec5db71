"""Forward and back again: what comes home of the initial state, and what theory says does."""

from __future__ import annotations

import math

import numpy as np
import torch

from odestudy.integrate import Solver, integrate
from odestudy.ode import TABLEAUS
from odestudy.questions.gradients.problems import SLOW, WEIGHTS, Problem


def round_trip_error(problem: Problem, solver: Solver) -> float:
    """||z0 - back(forward(z0))|| / ||z0||.

    Raises:
        NumericalFailure: one of the two solves fails.
    """
    with torch.no_grad():
        end = integrate(problem.f, problem.y0, problem.times(), solver)[-1]
        home = integrate(problem.f, end, problem.times().flip(0), solver)[-1]
        return float((home.double() - problem.y0.double()).norm() / problem.y0.double().norm())


def stability_function(method: str, z: float) -> float:
    """R(z) = 1 + z b (I - z A)^-1 1: what one step makes of y' = lambda y with z = h lambda (HNW II, IV.2)."""
    tableau = TABLEAUS[method]
    a = np.asarray(tableau.matrix(), dtype=float)
    b = np.asarray(tableau.b, dtype=float)
    return float(1 + z * b @ np.linalg.solve(np.eye(len(b)) - z * a, np.ones(len(b))))


def fixed_step_theory(method: str, steps: int, product: float, horizon: float, epsilon: float) -> float:
    """The round trip of the linear problem with fixed steps: truncation of both modes, and amplified rounding.

    There and back a mode is multiplied by (R(z) R(-z))^steps. The modes are mixed in the state, so rounding of the
    larger one is an error of the smaller one: it grows with the fast mode, on the way back where that decays, on the
    way there where it grows.
    """
    fast, slow = product / steps, SLOW * horizon / steps
    gains = [
        w * ((stability_function(method, z) * stability_function(method, -z)) ** steps - 1)
        for w, z in zip(WEIGHTS, (fast, slow), strict=True)
    ]
    rounding = epsilon * stability_function(method, abs(fast)) ** steps
    return math.hypot(*gains, rounding) / math.hypot(*WEIGHTS)


def adaptive_theory(tolerance: float, product: float, epsilon: float) -> float:
    """An error of the size of the tolerance at the end, times the growth on the way back, and amplified rounding."""
    return tolerance * math.exp(max(0.0, -product)) + epsilon * math.exp(abs(product))
