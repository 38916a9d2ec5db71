"""How well a flow models a density, and what limits it (claim C22)."""

from __future__ import annotations

from typing import Any

import numpy as np

from odestudy.densities.certificate import certify, holds
from odestudy.densities.effort import effort
from odestudy.densities.models import MODELS
from odestudy.densities.models.flow import FlowDensity
from odestudy.densities.pictures import pictures
from odestudy.densities.targets import target_of
from odestudy.failed import failed
from odestudy.outcome import Outcome, Row


def model(spec: dict[str, Any], device: str) -> Outcome:
    """Fit one model to one target for each seed, with the certificate of its density.

    Rows `runs`: one a seed. Arrays: for the first seed what its pictures need.
    """
    entry = spec["target"]
    target = target_of(entry)
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for seed in spec["seeds"]:
        row: Row = {"seed": seed, "status": "ok", "message": "", "d": target.d}
        row |= {key: entry[key] for key in ("family", "severity") if key in entry}
        row["budget"] = "reference" if spec["model"]["name"] == "cnf" else spec["budget"]
        try:
            found = MODELS[spec["model"]["name"]](target, spec, seed)
            checks = certify(
                found.density, target, samples=spec["samples"], grid_points=spec["grid_points"], seed=seed
            )
            row |= {"parameters": found.parameters, "train_s": found.train_s} | found.more | checks
            row["certified"] = holds(row)
            if isinstance(found.density, FlowDensity):
                row |= effort(found.density.f, target.sample(256, np.random.default_rng([seed, 5])))
            if seed == spec["seeds"][0] and spec["picture_points"]:
                arrays = pictures(found.density, target, spec["picture_points"])
        except Exception as error:
            row |= failed(error)
        rows.append(row)
    return Outcome({"runs": rows}, arrays)


TASKS = {"model": model}
