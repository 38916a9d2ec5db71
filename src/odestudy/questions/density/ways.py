"""What trace and determinant cost, each way of computing them, against dimension and width (claim C21)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import torch
from torch import Tensor

from odestudy.densities import operations
from odestudy.densities.fields import Stack
from odestudy.densities.transport import Grid, log_density, transport
from odestudy.learning.attempt import attempt
from odestudy.measure.clock import time_repeats
from odestudy.measure.memory import kept_for_backward_mib
from odestudy.ode._stepper import Stepper
from odestudy.questions.density.params import Ways
from odestudy.runtime.outcome import Outcome, Row

TIMES = ("wall_s", "wall_q1_s", "wall_q3_s")
FORMED = (
    "diagonal",
    "elimination",
)  # of a matrix that is there already: what is left is the sum, or elimination
PAIRS = {"width_decides": ("logdet_by_w", "logdet_by_d"), "probe_loses": ("structured_trace", "rademacher1")}


def ways(params: Ways, device: str) -> Outcome:
    """Count and time one step of a solver by each way, forward or also backward, on nets of several sizes.

    Rows `runs`: one a seed, dimension, width and way; all per sample of the batch. Operations are those of the forward
    pass, by arithmetic. What takes more of them than `most_flops` a batch is counted and not run. `crossovers`: one a seed and
    width. A seed is a net, points and a measurement of its own.
    """
    runs: list[Row] = []
    for seed, width, d in product(params.seeds, params.widths, params.dimensions):
        runs += [{"seed": seed} | _row(params, seed, d, width, way, device) for way in params.ways]
    found = product(params.seeds, params.widths, PAIRS)
    crossovers = [_crossover(runs, *key) for key in found if set(PAIRS[key[2]]) <= set(params.ways)]
    return Outcome({"runs": runs, "crossovers": crossovers})


def _row(params: Ways, seed: int, d: int, width: int, way: str, device: str) -> Row:
    flops = flops_of(way, (d, *[width] * params.hidden), Grid(params.method, 1).stepper, params.samples)
    row: Row = {"d": d, "width": width, "way": way, "flops": flops, "status": "ok", "message": ""}
    if flops * params.samples > params.most_flops:
        return row | {"message": "counted, and too long to be run"}
    return row | attempt(_measured, params, seed, d, width, way, device)


def flops_of(way: str, sizes: operations.Sizes, stepper: Stepper, batch: int) -> float:
    """Operations of one step for each sample of a batch, by arithmetic.

    Raises:
        ValueError: nobody has counted this way.
    """
    stages = len(stepper.nodes)
    weighted = len(stepper.weights or ())
    counts: dict[str, Callable[[], operations.Cost]] = {
        "diagonal": lambda: operations.Cost(sizes[0] - 1.0),
        "elimination": lambda: operations.Cost(operations.lu_flops(sizes[0])),
        "trace": lambda: operations.naive_trace(sizes, stages),
        "structured_trace": lambda: operations.structured_trace(sizes, stages, weighted),
        "rademacher1": lambda: operations.estimated_trace(sizes, stages),
        "logdet": lambda: operations.naive_determinant(sizes, stages),
        "structured_logdet": lambda: operations.structured_determinant(sizes, stages),
        "logdet_by_d": lambda: operations.determinant_by(sizes, stages, "d"),
        "logdet_by_w": lambda: operations.determinant_by(sizes, stages, "w"),
    }
    if way not in counts:
        raise ValueError(f"way {way!r} is not counted; allowed: {', '.join(counts)}")
    return counts[way]().per_sample(batch)


def _measured(params: Ways, seed: int, d: int, width: int, way: str, device: str) -> Row:
    torch.manual_seed(seed)
    dtype = getattr(torch, params.precision)
    x = torch.randn(params.samples, d, dtype=dtype, device=device)
    field = Stack(d, width, params.hidden).to(device, dtype)
    row: Row = {}
    if way in FORMED:
        work = _formed(way, x)
    elif params.gradient:
        loss = partial(_loss, field, x, Grid(params.method, 1), way)
        row = {"saved_mib": kept_for_backward_mib(loss())}
        work = partial(_trained, field, loss)
    else:
        field.requires_grad_(False)
        work = partial(transport, field, x, Grid(params.method, 1), way)
    row |= time_repeats(work, device, repeats=params.repeats)
    return row | {name: row[name] / params.samples for name in TIMES}


def _formed(way: str, x: Tensor) -> Callable[[], Any]:
    n, d = x.shape
    matrix = (
        torch.eye(d, dtype=x.dtype, device=x.device)
        + torch.randn(n, d, d, dtype=x.dtype, device=x.device) / d
    )
    if way == "diagonal":
        return lambda: matrix.diagonal(dim1=1, dim2=2).sum(1)
    return lambda: torch.linalg.slogdet(matrix)


def _loss(field: Stack, x: Tensor, grid: Grid, way: str) -> Tensor:
    return -log_density(field, x, grid, way).mean()


def _trained(field: Stack, loss: Callable[[], Tensor]) -> None:
    field.zero_grad(set_to_none=True)
    loss().backward()


def _crossover(runs: list[Row], seed: int, width: int, crossing: str) -> Row:
    """The least dimension from which on one way is cheaper than another, by operations and by time."""
    mine = [r for r in runs if (r["seed"], r["width"]) == (seed, width)]
    found = {f"from_d_by_{c}": least_d(mine, *PAIRS[crossing], c) for c in ("flops", "wall_s")}
    return {"seed": seed, "width": width, "crossing": crossing, "status": "ok"} | found


def least_d(rows: list[Row], one: str, other: str, column: str) -> int | None:
    """The least d measured from which on `one` costs less than `other`, where both are known; None: at no such d."""
    cost = {(r["d"], r["way"]): r[column] for r in rows if r.get(column) is not None}
    found = None
    for d in sorted({d for d, _ in cost}, reverse=True):
        if (d, one) not in cost or (d, other) not in cost:
            continue
        if cost[d, one] >= cost[d, other]:
            break
        found = d
    return found
