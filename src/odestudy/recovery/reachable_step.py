"""The distance that a training must move the entries of a matrix, and the one that its optimiser can."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from odestudy.recovery.judge import field_values, matrix_of
from odestudy.recovery.learning import make_model
from odestudy.recovery.units import units_of
from odestudy.systems.trajectories import Observed


def needed(spec: dict[str, Any], data: list[Observed], matrix: np.ndarray, device: str) -> list[float]:
    """For each seed the largest distance from an entry as initialised to the true one, in the units that are learnt."""
    units, d = units_of(spec, data), len(matrix)
    truth = units.duration * matrix * units.scale[None, :] / units.scale[:, None]
    starts = [make_model(spec, d, seed, device) for seed in spec["seeds"]]
    found = [matrix_of(partial(field_values, model), d) for model in starts]
    return [float(np.abs(truth - start).max()) for start in found]


def possible(spec: dict[str, Any]) -> float:
    """The sum of the learning rates of all steps, as a step of Adam is about as long as its rate at most.

    Kingma, Ba 2015, section 2.1; longer ones, by (1 - beta1) / sqrt(1 - beta2), need a gradient that was zero for long.
    """
    n = spec["iterations"]
    if spec.get("schedule") != "cosine":
        return spec["learning_rate"] * n
    return spec["learning_rate"] * sum((1 + math.cos(math.pi * i / n)) / 2 for i in range(n))
