"""One batch of seeds from observations to judged models: what the questions of dynamics share."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from odestudy.nets.dynamics import MODELS
from odestudy.outcome import NumericalFailure, Row
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
from odestudy.recovery.training import train
from odestudy.recovery.units import Units, units_of
from odestudy.systems.trajectories import Observed, observe, signal_to_noise_db

FRAMES = 24  # of the learning process
Arrays = dict[str, np.ndarray]


@dataclass
class Learned:
    """Rows, the learnt right-hand side of each seed, and the arrays of the seed of median field error."""

    rows: list[Row]
    fields: dict[int, Learnt] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)


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


def learn_batch(spec: dict[str, Any], device: str) -> Learned:
    """Train the seeds of one batch and judge each."""
    data, seeds, rows = observations(spec)
    found = Learned(rows)
    if not data:
        return found
    spec = spec | {"seeds": seeds}
    units = units_of(spec, data)
    singles, trained, frames = _train(spec, data, units, device)
    by_seed: dict[int, tuple[float, Arrays]] = {}
    for seed, model, row, one in zip(seeds, singles, trained, data, strict=True):
        learnt = found.fields[seed] = units.meant(partial(field_values, model))
        stiff = spec["system"].get("stiff", False)
        roll = partial(numpy_rollout, learnt, stiff=True) if stiff else rollout(model, units)
        judged, arrays = judge(learnt, roll, one, spec, np.random.default_rng([seed, 2]))
        found.rows.append(row | judged | _eigenvalues(learnt, spec) | signal(one))
        by_seed[seed] = float(np.nan_to_num(judged["field_error_pct"], nan=np.inf)), arrays | _observed(one)
    shown = sorted(seeds, key=lambda seed: by_seed[seed][0])[(len(seeds) - 1) // 2]
    found.arrays = by_seed[shown][1] | {"seed": np.array(shown)}
    if frames:
        process = np.stack([frame[seeds.index(shown)] for frame in frames.values()])
        found.arrays |= {"process": process, "process_iteration": np.array(list(frames))}
    return found


def _train(
    spec: dict[str, Any], data: list[Observed], units: Units, device: str
) -> tuple[list[nn.Module], list[Row], dict[int, np.ndarray]]:
    """Trained models, their rows, and iteration -> trajectories of all seeds (M, n, d)."""
    from odestudy.ode import BatchedModels

    singles = [make_model(spec, data[0].truth.shape[-1], seed, device) for seed in spec["seeds"]]
    models = BatchedModels(singles)
    starts, t = np.stack([one.truth[0, 0] for one in data]), data[0].t[0]
    frames: dict[int, np.ndarray] = {}
    marks = {0, *np.geomspace(10, spec["iterations"], FRAMES - 1).round().astype(int).tolist()}

    def record(i: int) -> None:
        if i in marks and not spec["system"].get("stiff"):
            frames[i] = rollout(models, units)(starts, t)

    rows = train(models, [units.scaled(one) for one in data], spec, record)
    models.write_to(singles)
    return singles, rows, frames


def make_model(spec: dict[str, Any], d: int, seed: int, device: str) -> nn.Module:
    """The model of one seed, as initialised."""
    torch.manual_seed(seed)
    return MODELS[spec["model"]](d, spec["width"]).to(device, getattr(torch, spec["dtype"]))


def rollout(model: nn.Module, units: Units) -> Rollout:
    """Trajectories in the system's units, computed in those in which the model was learnt."""

    def roll(z0: np.ndarray, t: np.ndarray) -> np.ndarray:
        found = torch_rollout(model, (z0 - units.centre) / units.scale, (t - t[0]) / units.duration)
        return units.centre + units.scale * found

    return roll


def signal(data: Observed) -> Row:
    """Signal to noise of the first trajectory."""
    snr = signal_to_noise_db(data.truth[0], data.noise)
    return {"snr_median_db": float(np.median(snr)), "snr_end_db": float(snr[-1])}


def _eigenvalues(learnt: Learnt, spec: dict[str, Any]) -> Row:
    if spec["model"] != "linear" or spec["system"]["field"] != "linear":
        return {}
    truth = np.asarray(spec["system"]["parameters"]["matrix"])
    return {"eigenvalue_error_pct": eigenvalue_error_pct(matrix_of(learnt, len(truth)), truth)}


def _observed(data: Observed) -> Arrays:
    snr = signal_to_noise_db(data.truth[0], data.noise)
    return {"t": data.t[0], "truth": data.truth[0], "noisy": data.noisy[0], "snr_db": snr}
