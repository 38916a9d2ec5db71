"""Crashes of training on unstable systems: one gradient for each combination of factors (claim C16)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import product

import numpy as np
import torch
from torch import Tensor, nn

from odestudy.integrate import Counted, Solver, integrate
from odestudy.learning.attempt import attempt
from odestudy.questions.dynamics.params import Gradients
from odestudy.runtime.outcome import NumericalFailure, Outcome, Row

FORMS = {
    "rotation": lambda rate: [[rate, -1.0], [1.0, rate]],  # eigenvalues rate +- i
    "saddle": lambda rate: [[rate, 0.0], [0.0, -rate]],
}
START = (0.6, 0.3)
CRASH = "step_size_underflow"
POSTER = ("adjoint", "mean_square")  # the poster's gradient (with the norm that is its default) and loss


class MatrixDynamics(nn.Module):
    """dz/dt = A g(z) with g the identity or the elementwise cube."""

    def __init__(self, a: Tensor, power: int) -> None:
        super().__init__()
        self.a = nn.Parameter(a)
        self.power = power

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        return z**self.power @ self.a.T


def gradients(p: Gradients, device: str) -> Outcome:
    """One gradient of the loss for each combination and seed, at a matrix a little off the true one.

    The seed draws how far off. Rows `cells`: one a combination with status, error against the closed form, evaluations
    and time. Rows `runs`: for each seed and arithmetic the shares of statuses, over all and by combination of gradient
    and loss; for the poster's combination also by eigenvalue and by horizon.
    """
    names = ("gradient", "loss", "precision", "rate", "horizon")
    losses = p.problem.losses or p.losses
    axes = (p.gradients, losses, p.precisions, p.problem.rates, p.horizons)
    points = [dict(zip(names, values, strict=True)) for values in product(*axes)]
    cells = [_cell(p, seed, point) for seed in p.seeds for point in points]
    shares = [
        {"seed": seed, "status": "ok", "message": "", "precision": precision, **share}
        for seed, precision in product(p.seeds, p.precisions)
        for share in _shares([c for c in cells if (c["seed"], c["precision"]) == (seed, precision)])
    ]
    return Outcome({"cells": cells, "runs": shares})


def _cell(p: Gradients, seed: int, point: Row) -> Row:
    problem = p.problem
    row = point | {"seed": seed, "growth": point["rate"] * point["horizon"]}
    true_a = torch.tensor(FORMS[problem.form](point["rate"]), dtype=torch.float64)
    dtype = getattr(torch, point["precision"])
    t = torch.linspace(0, point["horizon"], p.points, dtype=torch.float64)
    start = torch.tensor(START, dtype=torch.float64)
    linear = problem.power == 1
    # A field that blows up has no data at the horizon: there the loss is the mean square of the state itself.
    target = _exact(true_a, start, t) if linear else torch.zeros(len(t), len(start), dtype=t.dtype)
    off = true_a + p.offset * torch.from_numpy(np.random.default_rng(seed).standard_normal((2, 2)))
    scale = float(target.square().mean()) if point["loss"] == "normalised" and linear else 1.0
    model = MatrixDynamics(off.to(dtype), problem.power)
    counted = Counted(model, p.max_nfe)
    clock = time.perf_counter()
    row |= attempt(_gradient, counted, start.to(dtype), t.to(dtype), target.to(dtype), scale, p, point)
    row["wall_s"] = time.perf_counter() - clock
    row["nfe_forward"], row["nfe_backward"] = counted.take()
    if row["status"] == "ok" and linear and model.a.grad is not None:
        row |= _against_exact(model.a.grad, off, start, t, target, scale)
    return row


def _gradient(
    f: Counted, start: Tensor, t: Tensor, target: Tensor, scale: float, p: Gradients, point: Row
) -> Row:  # fmt: skip
    """One forward and backward pass; the gradient is left in the parameters.

    Raises:
        NumericalFailure: loss or gradient are not finite, or the solver fails.
    """
    solver = Solver(p.library, p.method, p.rtol, p.atol, None, point["gradient"], p.max_nfe)
    loss = (integrate(f, start, t, solver) - target).square().mean() / scale
    if not torch.isfinite(loss):
        raise NumericalFailure("non_finite", "the loss is not finite")
    loss.backward()
    if not all(p.grad is not None and torch.isfinite(p.grad).all() for p in f.parameters()):
        raise NumericalFailure("non_finite", "the gradient is not finite")
    return {}


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


def _shares(cells: list[Row]) -> list[Row]:
    """How often each status occurs, by level of each factor."""
    rows = []
    for factor, level, chosen in _levels(cells):
        statuses = [c["status"] for c in chosen]
        count = {s: statuses.count(s) for s in (CRASH, "non_finite", "max_steps", "ok")}
        share = {s: 100 * n / len(chosen) for s, n in count.items()}
        finite = len(chosen) - count["non_finite"]
        rows.append({
            "factor": factor, "level": level, "cells": len(chosen), "crash_pct": share[CRASH],
            "crash_finite_pct": 100 * count[CRASH] / finite if finite else None,
            "non_finite_pct": share["non_finite"], "max_steps_pct": share["max_steps"], "fine_pct": share["ok"],
        })  # fmt: skip
    return rows


def _levels(cells: list[Row]) -> Iterator[tuple[str, str, list[Row]]]:
    """Factor, level and the cells of that level."""
    yield "all", "all", cells
    combinations = list(dict.fromkeys((c["gradient"], c["loss"]) for c in cells))
    for gradient, loss in combinations:
        chosen = [c for c in cells if (c["gradient"], c["loss"]) == (gradient, loss)]
        yield "combination", f"{gradient}, {loss}", chosen
        if (gradient, loss) == POSTER:
            for factor in ("rate", "horizon"):
                for value in dict.fromkeys(c[factor] for c in chosen):
                    yield factor, str(value), [c for c in chosen if c[factor] == value]
