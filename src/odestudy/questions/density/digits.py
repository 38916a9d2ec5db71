"""Handwritten digits as a density in 64 dimensions: likelihood against flow matching in the same time (claim C22)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from odestudy.densities.certificate import GAP_LIMIT_NAT, INTEGRAL_MARGIN, Density
from odestudy.densities.digits import Digits, bits_per_dim
from odestudy.densities.mass import importance_mass
from odestudy.densities.models import MODELS
from odestudy.densities.models.budget import equal_time
from odestudy.integrate import failed
from odestudy.questions.density.params import DigitsInTime
from odestudy.runtime.outcome import Outcome, Row

SHOWN = 10  # samples of each model in a picture


def digits(params: DigitsInTime, device: str) -> Outcome:
    """Train the flow by likelihood, and each other model for as long as that took; bits a pixel on test images.

    Rows `runs`: one a seed and model. Arrays: of the first seed samples of each model, and of the test images.
    """
    target: Any = Digits()
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for seed in params.seeds:
        allowed: dict[str, float] = {}
        for name in ("cnf", *params.models):
            row: Row = {"seed": seed, "model": name, "status": "ok", "message": "", "d": target.d}
            try:
                found = MODELS[name](target, params, seed, **allowed)
                allowed = allowed or {"allowed_s": found.train_s}
                row |= {"budget_s": allowed["allowed_s"], "spent_s": found.train_s}
                row["equal_time"] = equal_time(row["spent_s"], row["budget_s"])
                row |= {"parameters": found.parameters} | found.more
                told, drawn = _judged(found.density, target, params.samples, seed)
                row |= told
                row["certified"] = row.get("gap_nat", 0.0) <= GAP_LIMIT_NAT and (
                    abs(row["mass"] - 1) <= INTEGRAL_MARGIN + 2 * row["mass_error"]
                )
                if seed == params.seeds[0]:
                    arrays[name] = drawn
            except Exception as error:
                row |= failed(error)
            rows.append(row)
            if not allowed:
                break  # without the flow's time there is no budget
    arrays["test"] = target.test(np.random.default_rng(0))[:SHOWN].numpy()
    return Outcome({"runs": rows}, {k: v.astype(np.float32) for k, v in arrays.items()})


def _judged(density: Density, target: Digits, samples: int, seed: int) -> tuple[Row, np.ndarray]:
    """Bits a pixel, and the integral of the reported density over the samples of the map as computed."""
    rng = np.random.default_rng([seed, 3])
    row: Row = {"bits_per_dim": bits_per_dim(density.log_prob(target.test(rng)))}
    drawn = density.sample(samples, rng)
    drawn = drawn[torch.isfinite(drawn).all(1)]
    row |= importance_mass(density.log_prob(drawn)[None], density.sampler_log_prob(drawn)[None, None])
    return row, drawn[:SHOWN].numpy()
