"""Whether training at a coarse step exploits its solver (claim C20)."""

from __future__ import annotations

from itertools import product

import numpy as np
import torch

from odestudy.densities.certificate import GAP_LIMIT_NAT
from odestudy.densities.fields import Field
from odestudy.densities.laws import Target
from odestudy.densities.models.flow import at_certified_step, gap_nat
from odestudy.densities.plane import integral, lattice
from odestudy.densities.targets import entropy_nat
from odestudy.densities.training import Recipe, fit
from odestudy.densities.transport import Grid, log_density
from odestudy.integrate import failed
from odestudy.questions.density.entries import target_in
from odestudy.questions.density.params import Coarse
from odestudy.runtime.outcome import NumericalFailure, Outcome, Row

MOST_STEPS = 512  # an exploited field may need many
CHECKED = 256  # points at which the formulas are compared
QUICK = {"trace": "structured_trace", "logdet": "structured_logdet"}  # the same to rounding


def coarse(params: Coarse, device: str) -> Outcome:
    """Train under one formula at a coarse step, and evaluate what it claims, what is true, and a refined solver.

    Rows `runs`: one a seed and number of steps. `refined_*` only where trace and log-determinant agree at the refined
    step; where they do not with the most steps tried, the message says so.
    """
    target = target_in(params.target)
    entropy = entropy_nat(target, np.random.default_rng(0))
    rows: list[Row] = []
    for seed, steps in product(params.seeds, params.coarse_steps):
        row: Row = {"seed": seed, "step": 1 / steps, "status": "ok", "message": "", "entropy_nat": entropy}
        grid = Grid(params.train_method, steps)
        formula = QUICK.get(params.formula, params.formula)
        recipe = Recipe(formula, grid, params.iterations, params.batch, params.learning_rate)
        torch.manual_seed(seed)
        try:
            net = Field(target.d, params.width).to(device)
            fit(net, target, recipe, seed)
            row |= _judge(net.double().requires_grad_(False), target, params, grid, seed)
            row["claimed_excess_nat"] = row["claimed_nll_nat"] - entropy
            row |= _refined(net, target, params, seed, entropy)
        except Exception as error:
            row |= failed(error)
        rows.append(row)
    return Outcome({"runs": rows})


def _judge(net: Field, target: Target, params: Coarse, grid: Grid, seed: int) -> Row:
    like = next(net.parameters())
    x = target.sample(params.samples, np.random.default_rng([seed, 3])).to(like)
    where, cell, _ = lattice(target, params.grid_points, str(like.device))

    def nll(grid: Grid, formula: str) -> float:
        return float(-log_density(net, x, grid, formula).mean())

    found = {
        "claimed_nll_nat": nll(grid, QUICK.get(params.formula, params.formula)),
        "computed_nll_nat": nll(grid, QUICK["logdet"]),
        "claimed_integral": integral(
            log_density(net, where, grid, QUICK.get(params.formula, params.formula)).exp(), cell
        ),
        "computed_integral": integral(log_density(net, where, grid, QUICK["logdet"]).exp(), cell),
    }
    if not np.isfinite(list(found.values())).all():
        raise NumericalFailure("non_finite", "a likelihood of the trained flow is not finite")
    return found


def _refined(net: Field, target: Target, params: Coarse, seed: int, entropy: float) -> Row:
    x = target.sample(params.samples, np.random.default_rng([seed, 3])).to(next(net.parameters()))
    flow = at_certified_step(net, x[:CHECKED], params.eval_steps, MOST_STEPS)
    row: Row = {"steps": flow.grid.steps, "gap_nat": gap_nat(flow, x[:CHECKED])}
    if row["gap_nat"] > GAP_LIMIT_NAT:
        return row | {"message": f"trace and log-determinant do not agree with {flow.grid.steps} RK4 steps"}
    nll = float(-flow.log_prob(x).mean())
    return row | {"refined_nll_nat": nll, "refined_excess_nat": nll - entropy}
