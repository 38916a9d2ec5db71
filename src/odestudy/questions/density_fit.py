"""How well a flow models a density, what limits it, and whether coarse training exploits its solver (C20, C22)."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import torch

from odestudy.densities.certificate import certify, holds
from odestudy.densities.effort import effort
from odestudy.densities.fields import Field
from odestudy.densities.models import MODELS, FlowDensity
from odestudy.densities.plane import integral, lattice
from odestudy.densities.targets import Target, entropy_nat, target_of
from odestudy.densities.training import Recipe, fit
from odestudy.densities.transport import Grid, log_density, path
from odestudy.outcome import NumericalFailure, Outcome, Row

FRAMES = (1.0, 0.8, 0.6, 0.4, 0.2, 0.0)


def model(spec: dict[str, Any], device: str) -> Outcome:
    """Fit one model to one target for each seed, with the certificate of its density.

    Rows `runs`: one a seed. Arrays: for the first seed the densities on a grid, samples, and for a flow the density
    at some times and the ways of some points.
    """
    target = target_of(spec["target"])
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for seed in spec["seeds"]:
        row: Row = {"seed": seed, "status": "ok", "message": ""}
        try:
            found = MODELS[spec["model"]["name"]](target, spec, seed)
            checks = certify(
                found.density, target, samples=spec["samples"], grid_points=spec["grid_points"], seed=seed
            )
            row |= {"parameters": found.parameters, "train_s": found.train_s} | found.more | checks
            row["certified"] = holds(row)
            if isinstance(found.density, FlowDensity):
                row |= effort(found.density.f, target.sample(256, np.random.default_rng([seed, 5])))
            if seed == spec["seeds"][0]:
                arrays = _pictures(found.density, target, spec)
        except NumericalFailure as failure:
            row |= {"status": failure.status, "message": str(failure)}
        rows.append(row)
    return Outcome({"runs": rows}, arrays)


def _pictures(density: Any, target: Target, spec: dict[str, Any]) -> dict[str, np.ndarray]:
    where, _, extent = lattice(target, spec["picture_points"])
    arrays = {
        "extent": extent,
        "target": target.log_prob(where).exp(),
        "density": density.log_prob(where).exp(),
        "samples": density.sample(1000, np.random.default_rng(0)),
    }
    if isinstance(density, FlowDensity):
        frames = [
            log_density(density.f, where, Grid("rk4", 8, t), "trace").exp() if t < 1
            else torch.exp(-where.square().sum(1) / 2) / (2 * torch.pi)
            for t in FRAMES
        ]  # fmt: skip
        arrays |= {"frames": torch.stack(frames), "frame_t": np.array(FRAMES)}
        arrays["paths"] = path(density.f, target.sample(60, np.random.default_rng(1)), density.grid)
    return {k: np.asarray(v, dtype=np.float32) for k, v in arrays.items()}


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


TASKS = {"model": model, "coarse": coarse}
