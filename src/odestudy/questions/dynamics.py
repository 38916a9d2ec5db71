"""Recovery of unknown dynamics from noisy observations, by training and by the baselines (claims C14, C15, C18)."""

from __future__ import annotations

import time
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from odestudy.integrate import steps_samples
from odestudy.learning.attempt import attempt
from odestudy.recovery.judge import judge
from odestudy.recovery.learning import learn_batch, observations, signal
from odestudy.recovery.shooting import solver_of
from odestudy.runtime.outcome import Outcome, Row
from odestudy.systems.trajectories import Observed

if TYPE_CHECKING:
    from odestudy.recovery.baselines import Baseline


def recover(spec: dict[str, Any], device: str) -> Outcome:
    """Train a model of the vector field for each seed, from noisy observations of one or more trajectories.

    Rows `runs`: one a seed. Arrays: for the seed of median field error the observations, the true and the learnt
    trajectory, the learnt trajectory during training and the error of the vector field on a grid; for the seed of largest
    error the learnt trajectory.
    """
    spec = merged(spec)
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for seeds in _batches(spec):
        found = learn_batch(spec | {"seeds": seeds}, device)
        rows += found.rows
        arrays = arrays or found.arrays
    return Outcome(
        {"runs": _counted(rows, spec)}, {k: np.asarray(v, dtype=np.float32) for k, v in arrays.items()}
    )


def merged(spec: dict[str, Any]) -> dict[str, Any]:
    """A specification with what its arm and its cure say in place of what they leave open."""
    for axis in ("arm", "cure"):
        spec = spec | {k: v for k, v in spec.get(axis, {}).items() if k != "name"}
    return spec


def _batches(spec: dict[str, Any]) -> list[list[int]]:
    """Which seeds train as one batch: all of them where the solver steps each sample by itself."""
    if steps_samples(solver_of(spec)):
        return [list(spec["seeds"])]
    return [[seed] for seed in spec["seeds"]]


def baselines(spec: dict[str, Any], device: str) -> Outcome:
    """Fit baselines to the same observations; rows `runs`, one a baseline and seed, as those of `recover`."""
    from odestudy.recovery.baselines import BASELINES

    data, seeds, rows = observations(spec)
    rows = [{"arm": arm} | row for arm in spec["baselines"] for row in rows]
    for arm, (seed, one) in product(spec["baselines"], zip(seeds, data, strict=True)):
        rows.append(
            {"arm": arm, "seed": seed} | attempt(_baseline, BASELINES[arm], seed, one, spec) | signal(one)
        )
    return Outcome({"runs": _counted(rows, spec)})


def _baseline(fit: Baseline, seed: int, data: Observed, spec: dict[str, Any]) -> Row:
    clock = time.perf_counter()
    learnt, roll = fit(data, spec, np.random.default_rng([seed, 3]))
    seconds = time.perf_counter() - clock
    return {"train_s": seconds} | judge(learnt, roll, data, spec, np.random.default_rng([seed, 2]))[0]


def _counted(rows: list[Row], spec: dict[str, Any]) -> list[Row]:
    """The rows with what counts as a recovery, where the specification says what does; a failed run is none."""
    bound = spec.get("recovered_pct")
    if bound is None:
        return rows
    return [
        row | {"recovered": int(row["status"] == "ok" and (row.get("field_error_pct") or np.inf) <= bound)}
        for row in rows
    ]


TASKS = {"recover": recover, "baselines": baselines}
