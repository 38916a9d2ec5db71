"""Dropped modes: a plain GAN, the same net as a flow with and without its own likelihood, and by likelihood (C23)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from odestudy.densities.adversary import (
    FlowGenerator,
    Game,
    PlainGenerator,
    play,
)
from odestudy.densities.certificate import Density, certify, compare_samples, holds
from odestudy.densities.laws import Target
from odestudy.densities.models.flow import at_certified_step, fit_cnf, gap_nat
from odestudy.densities.transport import Grid
from odestudy.integrate import failed
from odestudy.questions.density.entries import target_in
from odestudy.questions.density.params import Modes
from odestudy.runtime.outcome import Outcome, Row

SHOWN = 1000
CHECKED = 256  # points at which the formulas are compared
TOLD = ("nll_nat", "excess_nat", "integral", "mass", "mass_error")


def modes(params: Modes, device: str) -> Outcome:
    """Train one kind of generator for each seed and count the modes that its samples cover.

    Flows show the certificate of their density, too, at a step at which their formulas agree. Rows `runs`: one a seed.
    Arrays: for the first seed samples of the generator and of the target.
    """
    target = target_in(params.target)
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for seed in params.seeds:
        row: Row = {"seed": seed, "status": "ok", "message": ""}
        try:
            found, drawn, x = (
                _by_likelihood(target, params, seed) if _fitted(params) else _by_game(target, params, seed)
            )
            row |= found
            arrays = arrays or {"drawn": drawn[:SHOWN].numpy(), "target": x[:SHOWN].numpy()}
        except Exception as error:
            row |= failed(error)
        rows.append(row)
    return Outcome({"runs": rows}, {k: v.astype(np.float32) for k, v in arrays.items()})


def _fitted(params: Modes) -> bool:
    return params.generator.name == "likelihood"


def _by_likelihood(target: Target, params: Modes, seed: int) -> tuple[Row, Tensor, Tensor]:
    """A flow by likelihood, sampled by the tight inverse of the map that its density belongs to."""
    fitted = fit_cnf(target, params, seed)
    rng = np.random.default_rng([seed, 3])
    x, drawn = target.sample(params.samples, rng), fitted.density.sample(params.samples, rng)
    row = {"parameters": fitted.parameters, "train_s": fitted.train_s} | fitted.more
    row |= _certificate(fitted.density, row, target, params, seed)
    return row | compare_samples(drawn, x, target, rng), drawn, x


def _by_game(target: Target, params: Modes, seed: int) -> tuple[Row, Tensor, Tensor]:
    """A generator against a discriminator, sampled as it was trained: with the training's solver, from base to data."""
    torch.manual_seed(seed)
    kind, d, width = params.generator.name, target.d, params.width
    grid = Grid(params.train_method, params.train_steps)
    generator = PlainGenerator(d, width) if kind == "gan" else FlowGenerator(d, width, grid)
    iterations = params.game_iterations * params.generator.game_factor
    weight = params.likelihood if kind == "flow_gan" else 0.0
    row: Row = {"iterations": iterations}
    row["train_s"] = play(
        generator, target, Game(iterations, params.batch, params.game_learning_rate, weight), seed
    )
    row["parameters"] = sum(p.numel() for p in generator.parameters() if p.requires_grad)
    generator = generator.double().requires_grad_(False)
    rng = np.random.default_rng([seed, 3])
    z = torch.from_numpy(rng.standard_normal((params.samples, d)))
    x, drawn = target.sample(params.samples, rng), generator(z)
    row |= compare_samples(drawn, x, target, rng)
    if isinstance(generator, FlowGenerator):
        row["mismatch"] = generator.mismatch(z)
        flow = at_certified_step(generator.net, x[:CHECKED], params.eval_steps)
        row |= {"steps": flow.grid.steps, "gap_nat": gap_nat(flow, x[:CHECKED])}
        row |= _certificate(flow, row, target, params, seed)
    return row, drawn, x


def _certificate(density: Density, row: Row, target: Target, params: Modes, seed: int) -> Row:
    """NLL and integral of a density, and whether they hold; what is not finite is left out."""
    found = certify(density, target, samples=params.samples, grid_points=params.grid_points, seed=seed)
    told = {name: found[name] for name in TOLD if np.isfinite(found[name])}
    return told | {"certified": holds(row | found)}
