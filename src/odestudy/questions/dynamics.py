"""Recovery of unknown dynamics from noisy observations, by training and by the baselines (claims C14, C15, C18)."""

from __future__ import annotations

import time
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import nn

from odestudy.integrate import steps_samples
from odestudy.nets.dynamics import MODELS
from odestudy.outcome import NumericalFailure, Outcome, Row
from odestudy.recovery.judge import (
    Learnt,
    Rollout,
    eigenvalue_error_pct,
    field_values,
    judge,
    matrix_of,
    numpy_rollout,
    torch_rollout,
)
from odestudy.recovery.shooting import solver_of
from odestudy.recovery.training import train
from odestudy.recovery.units import Units, units_of
from odestudy.systems.trajectories import Observed, observe, signal_to_noise_db

FRAMES = 24  # of the learning process


def recover(spec: dict[str, Any], device: str) -> Outcome:
    """Train a model of the vector field for each seed, from noisy observations of one or more trajectories.

    Rows `runs`: one a seed. Arrays: for the seed of median field error the observations, the true and the learnt
    trajectory, the learnt trajectory during training and the error of the vector field on a grid.
    """
    spec = merged(spec)
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for seeds in _batches(spec):
        part, more, _ = learn_batch(spec | {"seeds": seeds}, device)
        rows += part
        arrays = arrays or more
    return Outcome({"runs": rows}, {k: np.asarray(v, dtype=np.float32) for k, v in arrays.items()})


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


def observations(spec: dict[str, Any]) -> tuple[list[Observed], list[int], list[Row]]:
    """What each seed observes; the seeds that have data, and a row for each of the others."""
    data, seeds, failed = [], [], []
    for seed in spec["seeds"]:
        try:
            data.append(observe(spec, np.random.default_rng([seed, 0])))
            seeds.append(seed)
        except NumericalFailure as failure:
            failed.append({"seed": seed, "status": failure.status, "message": str(failure)})
    return data, seeds, failed


def learn_batch(
    spec: dict[str, Any], device: str
) -> tuple[list[Row], dict[str, np.ndarray], dict[int, Learnt]]:
    """Train the seeds of one batch and judge each; rows, the arrays of the seed of median error, and what each learnt."""
    from odestudy.ode import BatchedModels

    data, seeds, rows = observations(spec)
    if not data:
        return rows, {}, {}
    spec = spec | {"seeds": seeds}
    units = units_of(spec, data)
    singles = [_model(spec, data[0].truth.shape[-1], seed, device) for seed in seeds]
    models = BatchedModels(singles)
    frames: dict[int, np.ndarray] = {}  # iteration -> trajectories of all seeds, (M, n, d)
    marks = {0, *np.geomspace(10, spec["iterations"], FRAMES - 1).round().astype(int).tolist()}

    def record(i: int) -> None:
        if i in marks and spec["system"].get("stiff") is None:
            frames[i] = _roll(models, units)(np.stack([one.truth[0, 0] for one in data]), data[0].t[0])

    trained = train(models, [units.scaled(one) for one in data], spec, record)
    models.write_to(singles)
    found_by: dict[int, Learnt] = {}
    arrays_by: dict[int, dict[str, np.ndarray]] = {}
    errors: dict[int, float] = {}
    for seed, model, row, one in zip(seeds, singles, trained, data, strict=True):
        learnt = found_by[seed] = units.meant(partial(field_values, model))
        roll = (
            partial(numpy_rollout, learnt, stiff=True) if spec["system"].get("stiff") else _roll(model, units)
        )
        found, more = judge(learnt, roll, one, spec, np.random.default_rng([seed, 2]))
        if spec["model"] == "linear" and spec["system"]["field"] == "linear":
            true_a = np.asarray(spec["system"]["parameters"]["matrix"])
            found["eigenvalue_error_pct"] = eigenvalue_error_pct(matrix_of(learnt, len(true_a)), true_a)
        rows.append(row | found | _signal(one))
        arrays_by[seed] = _observed(one) | more | {"seed": np.array(seed)}
        errors[seed] = np.nan_to_num(found["field_error_pct"], nan=np.inf)
    shown = sorted(seeds, key=lambda seed: errors[seed])[(len(seeds) - 1) // 2]
    arrays = arrays_by[shown]
    if frames:
        process = np.stack([frame[seeds.index(shown)] for frame in frames.values()])
        arrays |= {"process": process, "process_iteration": np.array(list(frames))}
    return rows, arrays, found_by


def _model(spec: dict[str, Any], d: int, seed: int, device: str) -> nn.Module:
    torch.manual_seed(seed)
    return MODELS[spec["model"]](d, spec["width"]).to(device, getattr(torch, spec["dtype"]))


def _roll(model: nn.Module, units: Units) -> Rollout:
    """Trajectories in the system's units, computed in those in which the model was learnt."""

    def roll(z0: np.ndarray, t: np.ndarray) -> np.ndarray:
        found = torch_rollout(model, (z0 - units.centre) / units.scale, t / units.duration)
        return units.centre + units.scale * found

    return roll


def _signal(data: Observed) -> Row:
    snr = signal_to_noise_db(data.truth[0], data.noise)
    return {"snr_median_db": float(np.median(snr)), "snr_end_db": float(snr[-1])}


def _observed(data: Observed) -> dict[str, np.ndarray]:
    return {
        "t": data.t[0],
        "truth": data.truth[0],
        "noisy": data.noisy[0],
        "snr_db": signal_to_noise_db(data.truth[0], data.noise),
    }


def baselines(spec: dict[str, Any], device: str) -> Outcome:
    """Fit baselines to the same observations; rows `runs`, one a baseline and seed, as those of `recover`."""
    from odestudy.recovery.baselines import BASELINES

    data, seeds, rows = observations(spec)
    rows = [{"arm": arm} | row for arm in spec["baselines"] for row in rows]
    for arm, (seed, one) in product(spec["baselines"], zip(seeds, data, strict=True)):
        row: Row = {"arm": arm, "seed": seed, "status": "ok", "message": ""}
        clock = time.perf_counter()
        try:
            learnt, roll = BASELINES[arm](one, spec, np.random.default_rng([seed, 3]))
            row["train_s"] = time.perf_counter() - clock
            row |= judge(learnt, roll, one, spec, np.random.default_rng([seed, 2]))[0]
        except NumericalFailure as failure:
            row |= {"status": failure.status, "message": str(failure)}
        rows.append(row | _signal(one))
    return Outcome({"runs": rows})


TASKS = {"recover": recover, "baselines": baselines}
