"""The error of the gradient by arm, against the tolerance (C03, C25)."""

from __future__ import annotations

from odestudy.learning.attempt import attempt
from odestudy.questions.gradients.arms import OWN_METHOD
from odestudy.questions.gradients.gradient import (
    Gradient,
    cosine,
    counted,
    gradient_of,
    missing,
    relative,
    solver_of,
)
from odestudy.questions.gradients.oracle import difference_error, oracle
from odestudy.questions.gradients.params import Tolerance
from odestudy.questions.gradients.problems import Problem, problem_of
from odestudy.questions.gradients.products import dot_product_mismatch
from odestudy.runtime.outcome import Outcome, Row

MOST_NFE = 10_000  # a gradient of such small problems that takes more is of no use


def tolerance(params: Tolerance, device: str) -> Outcome:
    """One problem, in float64: the gradient of each arm at each tolerance.

    Rows `runs`: one an arm and tolerance. `oracles`: one, how well the oracle is confirmed, and which arms cannot run
    here. `products`: one an arm of ours that pulls back.
    """
    seed = params.seeds[0]
    problem = problem_of(params.problem)
    truth = oracle(problem)
    check: Row = {"seed": seed, "status": "ok", "parameters": len(truth.parameters)}
    check["message"] = "; ".join(f"{arm}: {missing(arm)}" for arm in params.arms if missing(arm)) or "none"
    check["difference_error"] = difference_error(problem, truth)
    arms = [arm for arm in params.arms if not missing(arm)]
    rows: list[Row] = []
    for rtol in params.tolerances:
        exact = attempt(lambda r=rtol: {"gradient": _gradient(problem, "backprop", r)})
        for arm in arms:
            row: Row = {"seed": seed, "arm": arm, "rtol": rtol, "status": "ok", "message": ""}
            rows.append(row | attempt(errors, problem, arm, rtol, truth, exact.get("gradient")))
    products: list[Row] = []
    for arm in [a for a in arms if a.split("_")[0] not in ("forward", "torchdiffeq", "torchode")]:
        row = {"seed": seed, "arm": arm, "rtol": params.product_rtol, "status": "ok", "message": ""}
        products.append(row | attempt(_mismatch, problem, arm, params.product_rtol))
    return Outcome({"runs": rows, "oracles": [check], "products": products})


def _gradient(problem: Problem, arm: str, rtol: float, method: str = "dopri5") -> Gradient:
    return gradient_of(problem, solver_of(arm, method=method, rtol=rtol, atol=rtol / 100, max_nfe=MOST_NFE))


def errors(problem: Problem, arm: str, rtol: float, truth: Gradient, backprop: Gradient | None) -> Row:
    found = _gradient(problem, arm, rtol)
    row: Row = {
        "gradient_error": relative(found.parameters, truth.parameters),
        "gradient_cosine": cosine(found.parameters, truth.parameters),
        "y0_error": relative(found.y0, truth.y0),
    } | counted(found.nfe, found.nfe_backward, arm)
    if backprop is not None and arm not in OWN_METHOD:  # with another method it has another discrete gradient
        row["apart"] = relative(found.parameters, backprop.parameters)
    return row


def _mismatch(problem: Problem, arm: str, rtol: float) -> Row:
    return {"mismatch": dot_product_mismatch(problem, arm, rtol)}
