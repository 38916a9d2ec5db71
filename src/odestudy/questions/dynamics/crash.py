"""Eigenvalue times horizon from which on one gradient on an unstable linear system underflows (claim C16)."""

from __future__ import annotations

from itertools import product

import torch

from odestudy.integrate import Counted, Solver, integrate
from odestudy.learning.attempt import attempt
from odestudy.measure.threshold import threshold
from odestudy.questions.dynamics.first_step import predicted
from odestudy.questions.dynamics.params import Crash
from odestudy.questions.dynamics.unstable_case import Case, MatrixDynamics
from odestudy.runtime.outcome import NumericalFailure, Outcome, Row

UNDERFLOW = "step_size_underflow"


def crash(params: Crash, device: str) -> Outcome:
    """The smallest product of eigenvalue and horizon at which a gradient ends in an underflow, by bisection.

    The seed draws how far the model's matrix is off the true one. Rows `runs`: one a seed, scale of the loss and
    arithmetic, with the measured product (none where nothing underflows up to the largest), the one that theory predicts
    from the first step backward, and how other gradients ended.
    """
    axes = product(params.seeds, params.losses, params.precisions)
    return Outcome(
        {
            "runs": [
                {"seed": seed, "loss": loss, "precision": precision}
                | attempt(_threshold, params, seed, loss, precision, device)
                for seed, loss, precision in axes
            ]
        }
    )


def _threshold(params: Crash, seed: int, loss: str, precision: str, device: str) -> Row:
    """Where one seed's gradient begins to underflow.

    Raises:
        NumericalFailure: a try had no memory, so that nothing is known of it.
    """
    ends: dict[float, str] = {}

    def underflows(growth: float) -> bool:
        case = Case.of(params.problem, growth, seed, params.offset, params.points, loss)
        end = attempt(_gradient, params, case, precision, device)
        if end["status"] == "out_of_memory":
            raise NumericalFailure("out_of_memory", end["message"])
        ends[growth] = end["status"]
        return ends[growth] == UNDERFLOW

    found = threshold(underflows, params.growths)
    expected = predicted(params, seed, loss, precision)
    return {
        "underflow_at": found.value if found.value < float("inf") else None,
        "predicted_at": expected if expected < float("inf") else None,
        "tried_to": found.tried_to,
        "monotone": found.monotone,
        "gradients_tried": found.calls,
        "failed_otherwise": sum(end not in ("ok", UNDERFLOW) for end in ends.values()),
    }


def _gradient(params: Crash, case: Case, precision: str, device: str) -> Row:
    """One forward and backward pass.

    Raises:
        NumericalFailure: loss or gradient are not finite, or the solver fails.
    """
    to = {"dtype": getattr(torch, precision), "device": device}
    model = Counted(MatrixDynamics(case.model.to(**to)), params.max_nfe)
    solver = Solver(
        params.library, params.method, params.rtol, params.atol, None, params.gradient, params.max_nfe
    )
    states = integrate(model, case.start.to(**to), case.t.to(**to), solver)
    loss = (states - case.target.to(**to)).square().mean() / case.scale
    if not torch.isfinite(loss):
        raise NumericalFailure("non_finite", "the loss is not finite")
    loss.backward()
    if not all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters()):
        raise NumericalFailure("non_finite", "the gradient is not finite")
    return {}
