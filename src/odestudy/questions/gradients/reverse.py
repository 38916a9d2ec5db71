"""Back in time: the error of a solve there and back, against eigenvalue times horizon (C24)."""

from __future__ import annotations

from itertools import product

from odestudy.integrate import Solver
from odestudy.learning.attempt import attempt
from odestudy.questions.gradients.params import Reverse, RoundTrip
from odestudy.questions.gradients.problems import linear, moved
from odestudy.questions.gradients.reversal import adaptive_theory, fixed_step_theory, round_trip_error
from odestudy.runtime.outcome import Outcome, Row


def reverse(params: Reverse, device: str) -> Outcome:
    """The linear problem with one eigenvalue under study: what comes back of its initial state.

    Rows `runs`: one a solver, arithmetic and product of eigenvalue and horizon, with theory's curve.
    """
    trips = [_trip(params, *point) for point in product(params.solvers, params.precisions, params.products)]
    return Outcome({"runs": [{"seed": params.seeds[0]} | row for row in trips]})


def _trip(params: Reverse, settings: RoundTrip, precision: str, value: float) -> Row:
    horizon = params.horizon
    solver = _solver(settings, horizon)
    row: Row = {
        "solver": settings.name,
        "precision": precision,
        "product": value,
        "status": "ok",
        "message": "",
    }
    epsilon = 2.0**-53 if precision == "float64" else 2.0**-24
    if settings.steps is not None:
        row["theory"] = fixed_step_theory(settings.method, settings.steps, value, horizon, epsilon)
    elif settings.rtol is not None:
        row["theory"] = adaptive_theory(settings.rtol, value, epsilon)
    problem = moved(linear(value / horizon, horizon), "cpu", precision)
    return row | attempt(lambda: {"round_trip": round_trip_error(problem, solver)})


def _solver(settings: RoundTrip, horizon: float) -> Solver:
    rtol = 1e-6 if settings.rtol is None else settings.rtol
    step = None if settings.steps is None else horizon / settings.steps
    return Solver(method=settings.method, rtol=rtol, atol=rtol / 100, step=step)
