"""What makes training on an unstable system crash: one gradient for each combination of factors (claim C16)."""

from __future__ import annotations

import time
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from odestudy.integrate import Counted, Solver, integrate, named_failure
from odestudy.measure.shares import wilson
from odestudy.outcome import NumericalFailure, Outcome, Row

FACTORS = ("gradient", "loss", "precision", "rate", "horizon")
FORMS = {
    "rotation": lambda rate: [[rate, -1.0], [1.0, rate]],  # eigenvalues rate +- i
    "saddle": lambda rate: [[rate, 0.0], [0.0, -rate]],
}
START = (0.6, 0.3)
CRASH = "step_size_underflow"


class MatrixDynamics(nn.Module):
    """dz/dt = A g(z) with g the identity or the elementwise cube."""

    def __init__(self, a: Tensor, power: int) -> None:
        super().__init__()
        self.a = nn.Parameter(a)
        self.power = power

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        return z**self.power @ self.a.T


def gradients(spec: dict[str, Any], device: str) -> Outcome:
    """One gradient of the loss for each combination, at a matrix a little off the true one.

    Rows `cells`: one a combination with status, error against the closed form, evaluations and time. Rows `runs`:
    for each level of each factor the shares of combinations by status, with Wilson's interval of the crash.
    """
    names = ("gradient", "loss", "precision", "rate", "horizon")
    axes = (spec["gradients"], spec["losses"], spec["precisions"], spec["problem"]["rates"], spec["horizons"])
    cells = [_cell(spec, dict(zip(names, values, strict=True))) for values in product(*axes)]
    return Outcome({"cells": cells, "runs": _shares(cells, spec["seeds"][0])})


def _cell(spec: dict[str, Any], point: Row) -> Row:
    problem, seed = spec["problem"], spec["seeds"][0]
    row = point | {"seed": seed, "growth": point["rate"] * point["horizon"]}
    true_a = torch.tensor(FORMS[problem["form"]](point["rate"]), dtype=torch.float64)
    dtype = getattr(torch, point["precision"])
    t = torch.linspace(0, point["horizon"], spec["points"], dtype=torch.float64)
    start = torch.tensor(START, dtype=torch.float64)
    linear = problem["power"] == 1
    # A field that blows up has no data at the horizon: there the loss is the mean square of the state itself.
    target = _exact(true_a, start, t) if linear else torch.zeros(len(t), len(start), dtype=t.dtype)
    off = true_a + spec["offset"] * torch.from_numpy(np.random.default_rng(seed).standard_normal((2, 2)))
    scale = float(target.square().mean()) if point["loss"] == "normalised" and linear else 1.0
    model = MatrixDynamics(off.to(dtype), problem["power"])
    counted = Counted(model, spec["max_nfe"])
    clock = time.perf_counter()
    row |= _attempt(counted, start.to(dtype), t.to(dtype), target.to(dtype), scale, spec, point)
    row["wall_s"] = time.perf_counter() - clock
    row["nfe_forward"], row["nfe_backward"] = counted.take()
    if row["status"] == "ok" and linear and model.a.grad is not None:
        row |= _against_exact(model.a.grad, off, start, t, target, scale)
    return row


def _attempt(
    f: Counted, start: Tensor, t: Tensor, target: Tensor, scale: float, spec: dict[str, Any], point: Row
) -> Row:  # fmt: skip
    """Status and message of one forward and backward pass."""
    solver = Solver(
        spec["library"], spec["method"], spec["rtol"], spec["atol"], None, point["gradient"], spec["max_nfe"]
    )
    try:
        loss = (integrate(f, start, t, solver) - target).square().mean() / scale
        if not torch.isfinite(loss):
            raise NumericalFailure("non_finite", "the loss is not finite")
        loss.backward()
        if not all(p.grad is not None and torch.isfinite(p.grad).all() for p in f.parameters()):
            raise NumericalFailure("non_finite", "the gradient is not finite")
    except Exception as error:
        failure = named_failure(error)
        if failure is None:
            raise
        return {"status": failure.status, "message": str(failure)}
    return {"status": "ok", "message": ""}


def _exact(a: Tensor, start: Tensor, t: Tensor) -> Tensor:
    """exp(A t) z0 at all times, (n, d)."""
    return torch.linalg.matrix_exp(t[:, None, None] * a) @ start


def _against_exact(
    found: Tensor, a: Tensor, start: Tensor, t: Tensor, target: Tensor, scale: float
) -> Row:  # fmt: skip
    """Relative error and cosine of the gradient against the one by the matrix exponential in float64."""
    a = a.clone().requires_grad_()
    loss = (_exact(a, start, t) - target).square().mean() / scale
    (exact,) = torch.autograd.grad(loss, a)
    found = found.double()
    norm = float(exact.norm())
    return {
        "gradient_error": float((found - exact).norm()) / norm,
        "gradient_cosine": float((found * exact).sum()) / (norm * float(found.norm())),
    }


def _shares(cells: list[Row], seed: int) -> list[Row]:
    """How often each status occurs at each level of each factor, and over all."""
    rows = []
    levels = [("all", "all")] + [
        (factor, level) for factor in FACTORS for level in dict.fromkeys(c[factor] for c in cells)
    ]
    for factor, level in levels:
        chosen = [c for c in cells if factor == "all" or c[factor] == level]
        statuses = [c["status"] for c in chosen]
        low, high = wilson(statuses.count(CRASH), len(chosen))
        rows.append({
            "seed": seed, "status": "ok", "message": "", "factor": factor, "level": str(level), "cells": len(chosen),
            "crash_pct": 100 * statuses.count(CRASH) / len(chosen), "crash_low_pct": 100 * low,
            "crash_high_pct": 100 * high, "non_finite_pct": 100 * statuses.count("non_finite") / len(chosen),
            "max_steps_pct": 100 * statuses.count("max_steps") / len(chosen),
            "fine_pct": 100 * statuses.count("ok") / len(chosen),
        })  # fmt: skip
    return rows


TASKS = {"gradients": gradients}
