"""Dropped modes: a plain GAN, the same net as a flow with and without its own likelihood, and by likelihood (C23)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from odestudy.densities.adversary import FlowGenerator, Game, PlainGenerator, play
from odestudy.densities.certificate import compare_samples
from odestudy.densities.laws import Target
from odestudy.densities.targets import target_of
from odestudy.densities.training import Recipe, fit
from odestudy.densities.transport import Grid
from odestudy.outcome import NumericalFailure, Outcome, Row


def modes(spec: dict[str, Any], device: str) -> Outcome:
    """Train one kind of generator for each seed and count the modes that its samples cover.

    Rows `runs`: one a seed. Arrays: for the first seed samples of the generator and of the target.
    """
    target = target_of(spec["target"])
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for seed in spec["seeds"]:
        row: Row = {"seed": seed, "status": "ok", "message": ""}
        rng = np.random.default_rng([seed, 3])
        try:
            generator, seconds = _train(target, spec, seed)
            with torch.no_grad():
                drawn = generator(
                    torch.from_numpy(rng.standard_normal((spec["samples"], target.d))).float()
                ).double()
            x = target.sample(spec["samples"], rng)
            row |= compare_samples(drawn, x, target, rng) | {"train_s": seconds}
            row["parameters"] = sum(p.numel() for p in generator.parameters() if p.requires_grad)
            if isinstance(generator, FlowGenerator):
                row["nll_nat"] = float(-generator.log_prob(x.float()).mean().detach())
            arrays = arrays or {"drawn": drawn[:1000].numpy(), "target": x[:1000].numpy()}
        except NumericalFailure as failure:
            row |= {"status": failure.status, "message": str(failure)}
        rows.append(row)
    return Outcome({"runs": rows}, {k: v.astype(np.float32) for k, v in arrays.items()})


def _train(target: Target, spec: dict[str, Any], seed: int) -> tuple[nn.Module, float]:
    torch.manual_seed(seed)
    kind = spec["generator"]["name"]
    grid = Grid(spec["train_method"], spec["train_steps"])
    if kind == "likelihood":
        flow = FlowGenerator(target.d, spec["width"], grid)
        recipe = Recipe("trace", grid, spec["iterations"], spec["batch"], spec["learning_rate"])
        return flow, fit(flow.net, target, recipe, seed).train_s
    plain = kind == "gan"
    generator = (
        PlainGenerator(target.d, spec["width"]) if plain else FlowGenerator(target.d, spec["width"], grid)
    )
    weight = spec["likelihood"] if kind == "flow_gan" else 0.0
    iterations = spec["generator"].get("game_iterations", spec["game_iterations"])
    game = Game(iterations, spec["batch"], spec["game_learning_rate"], weight)
    return generator, play(generator, target, game, seed)


TASKS = {"modes": modes}
