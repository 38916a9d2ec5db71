"""Recovery of unknown dynamics from noisy observations, by training through a solver (claims C14, C15, C18)."""

from __future__ import annotations

from typing import Any

import numpy as np

from odestudy.integrate import steps_samples
from odestudy.questions.dynamics.limits import beside_bounds
from odestudy.questions.dynamics.params import Recover, settings
from odestudy.questions.dynamics.success import counted
from odestudy.recovery.learning import learn_batch
from odestudy.recovery.shooting import solver_of
from odestudy.runtime.outcome import Outcome, Row


def recover(p: Recover, device: str) -> Outcome:
    """Train a model of the vector field for each seed, from noisy observations of one or more trajectories.

    Rows `runs`: one a seed. Arrays: for the seed of median field error the observations, the true and the learnt
    trajectory, the learnt trajectory during training and the error of the vector field on a grid; for the seed of largest
    error the learnt trajectory.
    """
    spec = settings(p)
    if p.decades is not None:
        spec["horizon"] = p.decades * np.log(10) / slowest_rate(spec["system"])
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for seeds in batches(spec):
        found = learn_batch(spec | {"seeds": seeds}, device)
        rows += found.rows
        arrays = arrays or found.arrays
    return Outcome(
        {"runs": beside_bounds(counted(rows, spec), spec)},
        {k: np.asarray(v, dtype=np.float32) for k, v in arrays.items()},
    )


def batches(spec: dict[str, Any]) -> list[list[int]]:
    """Which seeds train as one batch: all of them where the solver steps each sample by itself."""
    if steps_samples(solver_of(spec)):
        return [list(spec["seeds"])]
    return [[seed] for seed in spec["seeds"]]


def slowest_rate(system: dict[str, Any]) -> float:
    """The least decay rate of a linear system.

    Raises:
        ValueError: it does not decay.
    """
    rates = -np.linalg.eigvals(np.asarray(system["parameters"]["matrix"])).real
    if rates.min() <= 0:
        raise ValueError(f"system {system['name']}: a mode does not decay; allowed: systems that do")
    return float(rates.min())
