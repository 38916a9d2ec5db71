"""Recovery of unknown dynamics from noisy observations, by training through a solver (claims C14, C15, C18)."""

from __future__ import annotations

from typing import Any

import numpy as np

from odestudy.integrate import steps_samples
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
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for seeds in batches(spec):
        found = learn_batch(spec | {"seeds": seeds}, device)
        rows += found.rows
        arrays = arrays or found.arrays
    return Outcome(
        {"runs": counted(rows, spec)}, {k: np.asarray(v, dtype=np.float32) for k, v in arrays.items()}
    )


def batches(spec: dict[str, Any]) -> list[list[int]]:
    """Which seeds train as one batch: all of them where the solver steps each sample by itself."""
    if steps_samples(solver_of(spec)):
        return [list(spec["seeds"])]
    return [[seed] for seed in spec["seeds"]]
