"""The error of the gradient by arm, against tolerance and against eigenvalue times horizon (C03, C24, C25)."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

from odestudy.integrate import Solver
from odestudy.runtime.outcome import Outcome, Row
from odestudy.sensitivity.arms import (
    OWN_METHOD,
    Gradient,
    cosine,
    counted,
    gradient_of,
    missing,
    relative,
    solver_of,
)
from odestudy.sensitivity.attempt import attempt
from odestudy.sensitivity.oracle import difference_error, oracle
from odestudy.sensitivity.problems import Problem, linear, moved, problem_of
from odestudy.sensitivity.products import dot_product_mismatch
from odestudy.sensitivity.reversal import adaptive_theory, fixed_step_theory, round_trip_error

MOST_NFE = 10_000  # a gradient of such small problems that takes more is of no use
USABLE = 0.99  # cosine to the true gradient from which on a step still goes where it should


def tolerance(spec: dict[str, Any], device: str) -> Outcome:
    """One problem, in float64: the gradient of each arm at each tolerance.

    Rows `runs`: one an arm and tolerance. `oracles`: one, how well the oracle is confirmed, and which arms cannot run
    here. `products`: one an arm of ours that pulls back.
    """
    seed = spec["seeds"][0]
    problem = problem_of(spec["problem"])
    truth = oracle(problem)
    check: Row = {"seed": seed, "status": "ok", "parameters": len(truth.parameters)}
    check["message"] = "; ".join(f"{arm}: {missing(arm)}" for arm in spec["arms"] if missing(arm)) or "none"
    check["difference_error"] = difference_error(problem, truth)
    arms = [arm for arm in spec["arms"] if not missing(arm)]
    rows: list[Row] = []
    for rtol in spec["tolerances"]:
        exact = attempt(lambda r=rtol: {"gradient": _gradient(problem, "backprop", r)})
        for arm in arms:
            row: Row = {"seed": seed, "arm": arm, "rtol": rtol, "status": "ok", "message": ""}
            rows.append(row | attempt(_errors, problem, arm, rtol, truth, exact.get("gradient")))
    products: list[Row] = []
    for arm in [a for a in arms if a.split("_")[0] not in ("forward", "torchdiffeq", "torchode")]:
        row = {"seed": seed, "arm": arm, "rtol": spec["product_rtol"], "status": "ok", "message": ""}
        products.append(row | attempt(_mismatch, problem, arm, spec["product_rtol"]))
    return Outcome({"runs": rows, "oracles": [check], "products": products})


def _gradient(problem: Problem, arm: str, rtol: float, method: str = "dopri5") -> Gradient:
    return gradient_of(problem, solver_of(arm, method=method, rtol=rtol, atol=rtol / 100, max_nfe=MOST_NFE))


def _errors(problem: Problem, arm: str, rtol: float, truth: Gradient, backprop: Gradient | None) -> Row:
    found = _gradient(problem, arm, rtol)
    row: Row = {
        "gradient_error": relative(found.parameters, truth.parameters),
        "gradient_cosine": cosine(found.parameters, truth.parameters),
        "y0_error": relative(found.y0, truth.y0),
    } | counted(found.nfe, found.nfe_backward, arm)
    if backprop is not None and arm not in OWN_METHOD:  # with another method it has another discrete gradient
        row["apart"] = relative(found.parameters, backprop.parameters)
        row["apart_over_rtol"] = row["apart"] / rtol
    return row


def _mismatch(problem: Problem, arm: str, rtol: float) -> Row:
    return {"mismatch": dot_product_mismatch(problem, arm, rtol)}


def reverse(spec: dict[str, Any], device: str) -> Outcome:
    """The linear problem with one eigenvalue under study: what comes back, and whether the gradient is of use.

    Rows `runs`: the round trip, one a solver, arithmetic and product of eigenvalue and horizon, with theory's curve.
    `gradients`: the gradient, one an arm, arithmetic, tolerance, horizon and product. `limits`: one an arm, arithmetic,
    tolerance and horizon: the range of products over which the cosine stays.
    """
    seed = spec["seeds"][0]
    trips = [_trip(spec, *point) for point in product(spec["solvers"], spec["precisions"], spec["products"])]
    arms = [arm for arm in spec["arms"] if not missing(arm)]
    found = [
        _at_product(arm, precision, rtol, horizon, value)
        for arm, precision, rtol, horizon, value in product(
            arms, spec["precisions"], spec["gradient_rtols"], spec["horizons"], spec["products"]
        )
    ]
    rows = {"runs": trips, "gradients": found, "limits": _limits(found)}
    return Outcome({name: [{"seed": seed} | row for row in part] for name, part in rows.items()})


def _trip(spec: dict[str, Any], settings: dict[str, Any], precision: str, value: float) -> Row:
    horizon = spec["horizons"][0]
    solver = _solver(settings, horizon)
    row: Row = {
        "solver": settings["name"],
        "precision": precision,
        "product": value,
        "status": "ok",
        "message": "",
    }
    epsilon = 2.0**-53 if precision == "float64" else 2.0**-24
    if "steps" in settings:
        row["theory"] = fixed_step_theory(settings["method"], settings["steps"], value, horizon, epsilon)
    elif "rtol" in settings:
        row["theory"] = adaptive_theory(settings["rtol"], value, epsilon)
    problem = moved(linear(value / horizon, horizon), "cpu", precision)
    return row | attempt(lambda: {"round_trip": round_trip_error(problem, solver)})


def _solver(settings: dict[str, Any], horizon: float) -> Solver:
    rtol = settings.get("rtol", 1e-6)
    step = horizon / settings["steps"] if "steps" in settings else None
    return Solver(method=settings["method"], rtol=rtol, atol=rtol / 100, step=step)


def _at_product(arm: str, precision: str, rtol: float, horizon: float, value: float) -> Row:
    row: Row = {"arm": arm, "precision": precision, "rtol": rtol, "horizon": horizon, "product": value}
    row |= {"eigenvalue": value / horizon, "status": "ok", "message": ""}
    truth = oracle(linear(value / horizon, horizon))
    return row | attempt(
        _errors, moved(linear(value / horizon, horizon), "cpu", precision), arm, rtol, truth, None
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


TASKS = {"tolerance": tolerance, "reverse": reverse}
