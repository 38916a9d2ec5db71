"""The costs of trace and determinant against the dimension (claims C20, C21)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from odestudy.densities.fields import Field
from odestudy.densities.jacobian import with_estimate, with_jacobian, with_trace
from odestudy.densities.normal import standard_normal
from odestudy.densities.operations import lu_flops
from odestudy.densities.reference import reference
from odestudy.densities.spatial import cluster
from odestudy.densities.training import Recipe, fit
from odestudy.densities.transport import NOISES, Grid, log_density, transport
from odestudy.densities.work import counted_flops, step_flops, step_vjps
from odestudy.integrate import failed
from odestudy.measure.clock import time_repeats
from odestudy.measure.memory import kept_for_backward_mib, peak_mib
from odestudy.questions.density.params import Accuracy, Isolated, Step
from odestudy.runtime.outcome import Outcome, Row

TIMES = {"wall_s", "wall_q1_s", "wall_q3_s"}
PARTS = ("exact_trace", "hutchinson", "diagonal", "elimination")


def isolated(params: Isolated, device: str) -> Outcome:
    """Count and time, apart from any solver, what trace and determinant need at one point of the net.

    Rows `runs`: one a seed, dimension and part. `crossovers`: one a seed, the dimension from which on elimination is
    dearer. A seed is a net, a point and a measurement of its own.
    """
    found = [(seed, _parts_by_dimension(params, seed, device)) for seed in params.seeds]
    crossovers = [{"seed": seed} | _crossovers(rows) for seed, rows in found]
    return Outcome({"runs": [row for _, rows in found for row in rows], "crossovers": crossovers})


def _parts_by_dimension(params: Isolated, seed: int, device: str) -> list[Row]:
    rows: list[Row] = []
    for d in params.dimensions:
        torch.manual_seed(seed)
        try:
            field = Field(d, params.width if params.net == "fixed" else d).to(device).requires_grad_(False)
            x = torch.randn(params.samples, d).to(device)
            parts = _parts(field, x)
        except Exception as error:
            rows += [{"seed": seed, "d": d, "part": part} | failed(error) for part in PARTS]
            continue
        for part, (work, vjps, extra) in zip(PARTS, parts, strict=True):
            row: Row = {"seed": seed, "status": "ok", "message": "", "d": d, "part": part, "vjps": vjps}
            try:
                row["flops"] = counted_flops(work) / len(x) + extra
                row |= time_repeats(work, device, repeats=params.repeats)
                row |= {k: row[k] / len(x) for k in TIMES}
            except Exception as error:
                row |= failed(error)
            rows.append(row)
    return rows


def _parts(field: Field, x: Tensor) -> list[tuple[Callable[[], Any], int, float]]:
    """For each of PARTS: work, products with the Jacobian, and operations that the counter does not see."""
    d = x.shape[1]
    t = torch.zeros((), device=x.device)

    def f(z: Tensor) -> Tensor:
        return field(t, z)

    probe = NOISES["rademacher"](x[None])
    jacobian = with_jacobian(f, x)[1].contiguous()
    return [
        (lambda: with_trace(f, x), d, d - 1.0),
        (lambda: with_estimate(f, x, probe), 1, 2.0 * d),
        (lambda: jacobian.diagonal(dim1=1, dim2=2).sum(1), 0, d - 1.0),
        (lambda: torch.linalg.slogdet(jacobian), 0, lu_flops(d)),
    ]


def _crossovers(rows: list[Row]) -> Row:
    """By operations and by time; where a part failed at some dimension neither is known, and the row says why."""
    for row in rows:
        if row["status"] != "ok":
            return {"status": row["status"], "message": f"{row['part']}, d = {row['d']}: {row['message']}"}
    return {"status": "ok"} | {f"crossover_d_by_{c}": _crossover(rows, c) for c in ("flops", "wall_s")}


def _crossover(rows: list[Row], column: str) -> int | None:
    """The smallest dimension from which on elimination costs more than the d products of the exact trace."""
    cost = {(row["d"], row["part"]): row[column] for row in rows}
    found = None
    for d in sorted({row["d"] for row in rows}, reverse=True):
        if cost[d, "elimination"] <= cost[d, "exact_trace"]:
            break
        found = d
    return found


def step(params: Step, device: str) -> Outcome:
    """Count and time one whole training step, forward and backward, with each formula, against the dimension."""
    rows: list[Row] = []
    seed = params.seeds[0]
    grid = Grid(params.method, 1)
    for d, formula in product(params.dimensions, params.formulas):
        row: Row = {"seed": seed, "status": "ok", "message": "", "d": d, "formula": formula}
        row["vjps"] = step_vjps(formula, d, len(grid.stepper.nodes))
        torch.manual_seed(seed)
        try:
            field = Field(d, params.width).to(device)
            x = torch.randn(params.samples, d).to(device)

            def forward(field: Field = field, x: Tensor = x, formula: str = formula) -> Tensor:
                return -log_density(field, x, grid, formula).mean()

            def train(field: Field = field, loss: Callable[[], Tensor] = forward) -> None:
                field.zero_grad(set_to_none=True)
                loss().backward()

            row["flops"] = step_flops(field, x, grid.method, formula)
            row |= {"saved_mib": kept_for_backward_mib(forward())}
            row |= time_repeats(train, device, repeats=params.repeats)
            if d == max(params.dimensions):  # in the others resident memory does not resolve it
                row |= {"peak_mib": peak_mib(train, device)}
        except Exception as error:
            row |= failed(error)
        rows.append(row)
    return Outcome({"runs": rows})


def accuracy(params: Accuracy, device: str) -> Outcome:
    """Error of log p against counted work, on flows trained on mixtures of growing dimension.

    Rows `runs`: one a seed, step and formula. `equal`: one a seed, the work at an error of at most
    `error_limit` nat.
    """
    runs: list[Row] = []
    equal: list[Row] = []
    d = params.d
    for seed in params.seeds:
        target = cluster(d)
        recipe = Recipe(
            "rademacher1", Grid(params.method, params.train_steps), params.iterations, params.batch,
            params.learning_rate,
        )  # fmt: skip
        torch.manual_seed(seed)
        try:
            field = Field(d, params.width).to(device)
            fit(field, target, recipe, seed)
            field = field.double().requires_grad_(False)
            x = target.sample(params.samples, np.random.default_rng([seed, 2])).to(device)
            truth = reference(field, x, rtol=1e-9, atol=1e-10)
            exact = standard_normal(truth.z) + truth.trace
            mine = [
                {"seed": seed} | _error(field, x, exact, Grid(params.method, 2**k), formula)
                for k, formula in product(range(params.halvings + 1), params.formulas)
            ]
        except Exception as error:
            runs.append({"seed": seed} | failed(error))
            continue
        runs += mine
        equal.append({"seed": seed, "status": "ok"} | _at_equal_error(mine, params.error_limit))
    return Outcome({"runs": runs, "equal": equal})


def _error(field: Field, x: Tensor, exact: Tensor, grid: Grid, formula: str) -> Row:
    end, gain = transport(field, x, grid, formula)
    error = standard_normal(end) + gain - exact
    finite = bool(torch.isfinite(error).all())
    row: Row = {"step": grid.h, "formula": formula, "status": "ok" if finite else "non_finite", "message": ""}
    row |= {"vjps": grid.steps * step_vjps(formula, x.shape[1], len(grid.stepper.nodes))}
    row |= {"flops": grid.steps * step_flops(field, x, grid.method, formula)}
    return row | ({"error_nat": float(error.abs().mean()), "bias_nat": float(error.mean())} if finite else {})


def _at_equal_error(rows: list[Row], limit: float) -> Row:
    """By formula the largest step whose error, and that of all finer steps, is within the limit, and its work.

    A formula that never is has neither. `work_ratio` is that of the log-determinant over that of the trace.
    """
    found: Row = {}
    for formula in dict.fromkeys(row["formula"] for row in rows):
        mine = sorted((r for r in rows if r["formula"] == formula), key=lambda r: r["step"])
        for row in mine:
            if row.get("error_nat", np.inf) > limit:
                break
            found |= {f"work_{formula}_flops": row["flops"], f"step_{formula}": row["step"]}
    if "work_trace_flops" in found and "work_logdet_flops" in found:
        found["work_ratio"] = found["work_logdet_flops"] / found["work_trace_flops"]
    return found
