"""Whether training at a coarse step exploits its solver (claim C20)."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import torch

from odestudy.densities.fields import Field
from odestudy.densities.laws import Target
from odestudy.densities.plane import integral, lattice
from odestudy.densities.targets import entropy_nat, target_of
from odestudy.densities.training import Recipe, fit
from odestudy.densities.transport import Grid, log_density
from odestudy.outcome import NumericalFailure, Outcome, Row


def coarse(spec: dict[str, Any], device: str) -> Outcome:
    """Train under one formula at a coarse step, and evaluate what it claims, what is true, and a refined solver.

    Rows `runs`: one a seed and number of steps.
    """
    target = target_of(spec["target"])
    entropy = entropy_nat(target, np.random.default_rng(0))
    rows: list[Row] = []
    for seed, steps in product(spec["seeds"], spec["coarse_steps"]):
        row: Row = {"seed": seed, "step": 1 / steps, "status": "ok", "message": "", "entropy_nat": entropy}
        torch.manual_seed(seed)
        net = Field(target.d, spec["width"]).to(device)
        grid = Grid(spec["train_method"], steps)
        recipe = Recipe(spec["formula"], grid, spec["iterations"], spec["batch"], spec["learning_rate"])
        try:
            fit(net, target, recipe, seed)
            row |= _judge(net.double().requires_grad_(False), target, spec, grid, seed)
            row["claimed_excess_nat"] = row["claimed_nll_nat"] - entropy
            row["refined_excess_nat"] = row["refined_nll_nat"] - entropy
        except NumericalFailure as failure:
            row |= {"status": failure.status, "message": str(failure)}
        rows.append(row)
    return Outcome({"runs": rows})


def _judge(net: Field, target: Target, spec: dict[str, Any], grid: Grid, seed: int) -> Row:
    like = next(net.parameters())
    x = target.sample(spec["samples"], np.random.default_rng([seed, 3])).to(like)
    where, cell, _ = lattice(target, spec["grid_points"], str(like.device))
    refined = Grid("rk4", 64)

    def nll(grid: Grid, formula: str) -> float:
        return float(-log_density(net, x, grid, formula).mean())

    found = {
        "claimed_nll_nat": nll(grid, spec["formula"]),
        "computed_nll_nat": nll(grid, "logdet"),
        "refined_nll_nat": nll(refined, "trace"),
        "claimed_integral": integral(log_density(net, where, grid, spec["formula"]).exp(), cell),
        "computed_integral": integral(log_density(net, where, grid, "logdet").exp(), cell),
    }
    if not np.isfinite(list(found.values())).all():
        raise NumericalFailure("non_finite", "a likelihood of the trained flow is not finite")
    return found


TASKS = {"coarse": coarse}
