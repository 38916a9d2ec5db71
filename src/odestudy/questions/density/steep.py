"""Error of the likelihood by trace and by log-determinant on flows that need many steps (claim C20)."""

from __future__ import annotations

from copy import deepcopy
from itertools import product

import numpy as np
import torch
from torch import Tensor

from odestudy.densities.effort import effort
from odestudy.densities.fields import Field
from odestudy.densities.normal import standard_normal
from odestudy.densities.reference import Reference, reference
from odestudy.densities.training import Recipe, fit
from odestudy.densities.transport import Grid, transport
from odestudy.learning.attempt import attempt
from odestudy.questions.density.entries import target_in
from odestudy.questions.density.params import Steep
from odestudy.questions.density.ways import flops_of
from odestudy.runtime.outcome import Outcome, Row

TRUTH = {"rtol": 1e-10, "atol": 1e-11}


def steep(params: Steep, device: str) -> Outcome:
    """Train a flow, make it faster by factors, and set trace and determinant against the flow to a tight tolerance.

    Rows `runs`: one a seed, scale, solver, step, precision and formula. `flows`: one a seed and scale, how steep its field is.
    """
    found: dict[str, list[Row]] = {"runs": [], "flows": []}
    for seed in params.seeds:
        row = attempt(lambda seed=seed: {"flow": _flow(params, seed, device)})
        if row["status"] != "ok":
            found["runs"].append({"seed": seed} | row)
            continue
        trained, x = row["flow"]
        for scale in params.scales:
            for name, rows in _compared(trained, x, scale, params).items():
                found[name] += [{"seed": seed, "scale": scale} | r for r in rows]
    return Outcome(found)


def _compared(trained: Field, x: Tensor, scale: float, params: Steep) -> dict[str, list[Row]]:
    """The rows of one seed and scale; where the flow cannot be solved tightly there is none but its status."""
    field = _scaled(trained, scale)
    flow = attempt(lambda: {"truth": reference(field, x, **TRUTH), **effort(field, x)})
    truth = flow.pop("truth", None)
    if truth is None:
        return {"runs": [flow], "flows": [flow]}
    runs = [row for precision in params.precisions for row in _errors(field, x, truth, params, precision)]
    return {"runs": runs, "flows": [flow]}


def _flow(params: Steep, seed: int, device: str) -> tuple[Field, Tensor]:
    """A trained field, and samples of its target, (n, d), both in float64."""
    target = target_in(params.target)
    torch.manual_seed(seed)
    field = Field(target.d, params.width).to(device)
    grid = Grid(params.train_method, params.train_steps)
    recipe = Recipe("structured_trace", grid, params.iterations, params.batch, params.learning_rate)
    fit(field, target, recipe, seed)
    x = target.sample(params.samples, np.random.default_rng([seed, 2])).to(device)
    return field.double().requires_grad_(False), x


def _scaled(field: Field, scale: float) -> Field:
    """The field times `scale`.

    # ASSUME: it is no flow to its target any more, but one whose density the formulas have to find all the same.
    """
    faster = deepcopy(field)
    faster.last.weight.mul_(scale)
    faster.last.bias.mul_(scale)
    return faster


def _errors(field: Field, x: Tensor, truth: Reference, params: Steep, precision: str) -> list[Row]:
    dtype = getattr(torch, precision)
    narrow, points = deepcopy(field).to(dtype), x.to(dtype)  # a copy: rounding must not come back
    exact = standard_normal(truth.z) + truth.trace
    tried = [(method, 2**k) for method, most in params.methods.items() for k in range(most + 1)]
    rows: list[Row] = []
    for (method, steps), formula in product(tried, params.formulas):
        grid = Grid(method, steps)
        end, gain = transport(narrow, points, grid, formula)
        error = (standard_normal(end) + gain).double() - exact
        finite = bool(torch.isfinite(error).all())
        row: Row = {
            "method": method,
            "step": grid.h,
            "steps": steps,
            "precision": precision,
            "formula": formula,
        }
        row |= (
            {"status": "ok", "message": ""}
            if finite
            else {"status": "non_finite", "message": "log p is not finite"}
        )
        row |= {"flops": steps * flops_of(formula, field.layers().sizes, grid.stepper, len(x))}
        rows.append(row | ({"error_nat": float(error.abs().mean())} if finite else {}))
    return rows
