"""Back in time: round trips and gradients against eigenvalue times horizon (C03, C24)."""

from __future__ import annotations

import math
from itertools import product

from odestudy.integrate import Solver
from odestudy.learning.attempt import attempt
from odestudy.questions.gradients.gradient import missing
from odestudy.questions.gradients.oracle import oracle
from odestudy.questions.gradients.params import USABLE, Reverse, RoundTrip
from odestudy.questions.gradients.problems import linear, moved
from odestudy.questions.gradients.reversal import adaptive_theory, fixed_step_theory, round_trip_error
from odestudy.questions.gradients.tolerance import errors
from odestudy.runtime.outcome import Outcome, Row


def reverse(params: Reverse, device: str) -> Outcome:
    """The linear problem with one eigenvalue under study: what comes back, and whether the gradient is of use.

    Rows `runs`: the round trip, one a solver, arithmetic and product of eigenvalue and horizon, with theory's curve.
    `gradients`: the gradient, one an arm, arithmetic, tolerance, horizon and product. `limits`: one an arm, arithmetic,
    tolerance and horizon: the range of products over which the cosine stays.
    """
    seed = params.seeds[0]
    trips = [_trip(params, *point) for point in product(params.solvers, params.precisions, params.products)]
    arms = [arm for arm in params.arms if not missing(arm)]
    found = [
        _at_product(arm, precision, rtol, horizon, value)
        for arm, precision, rtol, horizon, value in product(
            arms, params.precisions, params.gradient_rtols, params.horizons, params.products
        )
    ]
    rows = {"runs": trips, "gradients": found, "limits": _limits(found)}
    return Outcome({name: [{"seed": seed} | row for row in part] for name, part in rows.items()})


def _trip(params: Reverse, settings: RoundTrip, precision: str, value: float) -> Row:
    horizon = params.horizons[0]
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


def _at_product(arm: str, precision: str, rtol: float, horizon: float, value: float) -> Row:
    row: Row = {"arm": arm, "precision": precision, "rtol": rtol, "horizon": horizon, "product": value}
    row |= {"eigenvalue": value / horizon, "status": "ok", "message": ""}
    truth = oracle(linear(value / horizon, horizon))
    return row | attempt(
        errors, moved(linear(value / horizon, horizon), "cpu", precision), arm, rtol, truth, None
    )


def _limits(rows: list[Row]) -> list[Row]:
    """From zero outward, how far the product may go before the cosine first falls below USABLE, or a solve fails."""
    keys = ("arm", "precision", "rtol", "horizon")
    limits = []
    for key in dict.fromkeys(tuple(row[k] for k in keys) for row in rows):
        mine = [row for row in rows if tuple(row[k] for k in keys) == key]
        sides = {"usable_decay": -1, "usable_growth": 1}
        reach = {name: _reach(mine, sign) for name, sign in sides.items()}
        limits.append(dict(zip(keys, key, strict=True)) | {"status": "ok"} | reach)
    return limits


def _reach(rows: list[Row], sign: int) -> float | None:
    """The largest |product| on one side such that it and all smaller ones are usable; None where none is."""
    reach = None
    for row in sorted((r for r in rows if r["product"] * sign > 0), key=lambda r: abs(r["product"])):
        if not row.get("gradient_cosine", -math.inf) >= USABLE:
            break
        reach = abs(row["product"])
    return reach
