"""The distance of fitted densities from their targets, and its limits (claim C22)."""

from __future__ import annotations

import numpy as np
import torch

from odestudy.densities.certificate import certify, holds
from odestudy.densities.effort import effort
from odestudy.densities.laws import Target
from odestudy.densities.models import MODELS
from odestudy.densities.models.budget import equal_time
from odestudy.densities.models.fitted import Fit
from odestudy.densities.models.flow import FlowDensity
from odestudy.densities.pictures import pictures
from odestudy.integrate import failed
from odestudy.questions.density.entries import target_in
from odestudy.questions.density.params import Fitted, InTime, ModelFit
from odestudy.runtime.outcome import Outcome, Row


def model(params: ModelFit, device: str) -> Outcome:
    """Fit one model to one target for each seed, with the certificate of its density.

    Rows `runs`: one a seed. Arrays: for the first seed what its pictures need.
    """
    target, about = target_in(params.target), params.target
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for seed in params.seeds:
        row: Row = {"seed": seed, "status": "ok", "message": "", "d": target.d}
        row |= {} if about.family is None else {"family": about.family, "severity": about.severity}
        try:
            found = MODELS[params.model.name](target, params, seed)
            row |= {"train_s": found.train_s} | _shown(found, target, params, seed)
            if isinstance(found.density, FlowDensity):
                row |= effort(found.density.f, _everywhere(target, seed))
            if seed == params.seeds[0] and params.picture_points:
                arrays = pictures(found.density, target, params.picture_points)
        except Exception as error:
            row |= failed(error)
        rows.append(row)
    return Outcome({"runs": rows}, arrays)


def _everywhere(target: Target, seed: int) -> torch.Tensor:
    """Samples of a target and the middles between its first modes, where a flow has to be steep and no sample lies."""
    x = target.sample(256, np.random.default_rng([seed, 5]))
    return x if target.modes is None else torch.cat([x, (target.modes[:1] + target.modes[1:]) / 2])


def in_time(params: InTime, device: str) -> Outcome:
    """Train the flow, and then each other model for as long as that took, on the same machine and in the same job.

    Rows `runs`: one a seed and model, the flow's own first. A row whose training took another time than the flow's by
    more than a tenth says so and is none at equal time.
    """
    target = target_in(params.target)
    rows: list[Row] = []
    for seed in params.seeds:
        allowed: dict[str, float] = {}
        for name in ("cnf", *params.models):
            row: Row = {"seed": seed, "model": name, "status": "ok", "message": "", "d": target.d}
            try:
                found = MODELS[name](target, params, seed, **allowed)
                allowed = allowed or {"allowed_s": found.train_s}
                row |= {"budget_s": allowed["allowed_s"], "spent_s": found.train_s}
                row["equal_time"] = equal_time(row["spent_s"], row["budget_s"])
                row |= _shown(found, target, params, seed)
            except Exception as error:
                row |= failed(error)
            rows.append(row)
            if not allowed:
                break  # without the flow's time there is no budget
    return Outcome({"runs": rows})


def _shown(found: Fit, target: Target, params: Fitted, seed: int) -> Row:
    """What a fitted density has and shows of itself, and whether its certificate holds."""
    row: Row = {"parameters": found.parameters} | found.more
    row |= certify(found.density, target, samples=params.samples, grid_points=params.grid_points, seed=seed)
    return row | {"certified": holds(row)}
