"""Maps out of reach: trajectories of an ODE cannot cross, unless there is room beside (claim C27)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from odestudy.densities.reach import TASKS as PROBLEMS
from odestudy.densities.reach import Reach
from odestudy.densities.transport import Grid
from odestudy.outcome import Outcome, Row

REFINED = Grid("rk4", 128)


def reach(spec: dict[str, Any], device: str) -> Outcome:
    """Train a flow to be a map, with added dimensions or without, and hold it to the refinement gate.

    Rows `runs`: one a seed, with the mean squared error at the trained step, at half of it, and refined. Arrays:
    for the first seed the first coordinate on the way of both points of the line, as trained and refined.
    """
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    problem = PROBLEMS[spec["problem"]]
    for seed in spec["seeds"]:
        grid = Grid(spec["train_method"], spec["train_steps"])
        net = _train(spec, grid, seed)
        x, y = problem(2000, np.random.default_rng([seed, 3]))
        x, y = x.double(), y.double()
        net = net.double().requires_grad_(False)
        errors = [_error(net, x, y, g) for g in (grid, Grid(grid.method, 2 * grid.steps), REFINED)]
        finite = bool(np.isfinite(errors).all())
        row: Row = {"seed": seed, "status": "ok" if finite else "non_finite", "message": ""}
        if finite:
            row |= dict(zip(("mse", "halved_mse", "refined_mse"), errors, strict=True))
            row["is_ode"] = abs(errors[1] - errors[0]) <= spec["gate"] * max(errors[0], spec["gate"])
        rows.append(row)
        if not arrays and spec["problem"] == "exchange":
            arrays = {
                "trained": net.ways(x, grid)[..., 0].numpy(),
                "refined": net.ways(x, REFINED)[..., 0].numpy(),
            }
    return Outcome({"runs": rows}, {k: v.astype(np.float32) for k, v in arrays.items()})


def _train(spec: dict[str, Any], grid: Grid, seed: int) -> Reach:
    rng = np.random.default_rng([seed, 1])
    problem = PROBLEMS[spec["problem"]]
    torch.manual_seed(seed)
    net = Reach(problem(1, rng)[0].shape[1], spec["augment"], spec["width"])
    optimizer = torch.optim.Adam(net.parameters(), lr=spec["learning_rate"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, spec["iterations"])
    for _ in range(spec["iterations"]):
        x, y = problem(spec["batch"], rng)
        loss = (net(x, grid) - y).square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimizer.step()
        schedule.step()
    return net


def _error(net: Reach, x: Tensor, y: Tensor, grid: Grid) -> float:
    return float((net(x, grid) - y).square().mean())


TASKS = {"reach": reach}
