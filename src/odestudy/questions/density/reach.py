"""Maps out of reach: trajectories of an ODE cannot cross, unless there is room beside (claim C27)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from odestudy.densities.reach import TASKS as PROBLEMS
from odestudy.densities.reach import Reach
from odestudy.densities.training import Course, maximise
from odestudy.densities.transport import Grid
from odestudy.integrate import failed
from odestudy.questions.density.params import Reachable
from odestudy.runtime.outcome import Outcome, Row

REFINED = Grid("rk4", 128)
SHOWN = 400  # points of the spheres in a picture


def reach(params: Reachable, device: str) -> Outcome:
    """Train a flow to be a map, with added dimensions or without, and hold it to the refinement gate.

    Rows `runs`: one a seed, with the mean squared error at the trained step, at half of it, and refined. Arrays:
    for the first seed that ends what a picture needs.
    """
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for seed in params.seeds:
        try:
            row, pictured = _reached(params, seed)
            arrays = arrays or pictured
        except Exception as error:
            row = failed(error)
        rows.append({"seed": seed} | row)
    return Outcome({"runs": rows}, {k: v.astype(np.float32) for k, v in arrays.items()})


def _reached(params: Reachable, seed: int) -> tuple[Row, dict[str, np.ndarray]]:
    """Train one seed's flow; its errors at the trained step, at half of it, and refined, and what a picture needs."""
    grid = Grid(params.train_method, params.train_steps)
    net = _train(params, grid, seed).double().requires_grad_(False)
    x, y = (z.double() for z in PROBLEMS[params.problem](2000, np.random.default_rng([seed, 3])))
    errors = [_error(net, x, y, g) for g in (grid, Grid(grid.method, 2 * grid.steps), REFINED)]
    finite = bool(np.isfinite(errors).all())
    row: Row = {"status": "ok" if finite else "non_finite", "message": ""}
    if finite:
        row |= dict(zip(("mse", "halved_mse", "refined_mse"), errors, strict=True))
        row["is_ode"] = abs(errors[1] - errors[0]) <= params.gate * max(errors[0], params.gate)
    return row, _pictured(net, x, y, grid)


def _train(params: Reachable, grid: Grid, seed: int) -> Reach:
    rng = np.random.default_rng([seed, 1])
    problem = PROBLEMS[params.problem]
    torch.manual_seed(seed)
    net = Reach(problem(1, rng)[0].shape[1], params.augment, params.width)

    def closeness(
        pair: tuple[Tensor, Tensor],
    ) -> Tensor:  # the log-likelihood of a Gaussian error, but for constants
        return -(net(pair[0], grid) - pair[1]).square()

    course = Course(params.iterations, params.learning_rate)
    maximise(net, closeness, lambda: problem(params.batch, rng), course, f"seed {seed}")
    return net


def _pictured(net: Reach, x: Tensor, y: Tensor, grid: Grid) -> dict[str, np.ndarray]:
    """On the line the first coordinate on the way; of the spheres where `SHOWN` points start and end, and their side."""
    if x.shape[1] == 1:
        return {name: net.ways(x, g)[..., 0].numpy() for name, g in (("trained", grid), ("refined", REFINED))}
    start = x[:SHOWN]
    return {
        "start": start.numpy(),
        "end": net.ways(start, REFINED)[-1, :, :2].numpy(),
        "side": y[:SHOWN].numpy(),
    }


def _error(net: Reach, x: Tensor, y: Tensor, grid: Grid) -> float:
    return float((net(x, grid) - y).square().mean())
