"""One batch of seeds from observations to judged models: what the questions of dynamics share."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from odestudy.integrate import failed
from odestudy.nets.dynamics import MODELS
from odestudy.recovery.draws import DATA, FRESH, draws, own
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
from odestudy.runtime.outcome import NumericalFailure, Row
from odestudy.systems.trajectories import Observed, observe, signal_to_noise_db

FRAMES = 24  # of the learning process
Arrays = dict[str, np.ndarray]


@dataclass
class Learned:
    """Rows, the learnt right-hand side of each seed, and the arrays of the seed of median field error.

    Of the seed of largest error they have the learnt trajectory, as `worst_learnt`.
    """

    rows: list[Row]
    fields: dict[int, Learnt] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)


def observations(spec: dict[str, Any]) -> tuple[list[Observed], list[int], list[Row]]:
    """What each seed observes; the seeds that have data, and a row for each of the others."""
    data, seeds, rows = [], [], []
    for seed in spec["seeds"]:
        try:
            data.append(observe(spec, draws(spec, seed, DATA)))
            seeds.append(seed)
        except Exception as error:
            rows.append({"seed": seed} | failed(error))
    return data, seeds, rows


@dataclass
class Trained:
    """One seed's row and, where the training got so far, its model and iteration -> trajectories (n, d)."""

    row: Row
    model: nn.Module | None = None
    frames: dict[int, np.ndarray] = field(default_factory=dict)


def learn_batch(spec: dict[str, Any], device: str) -> Learned:
    """Train the seeds of one batch and judge each."""
    data, seeds, rows = observations(spec)
    found = Learned(rows)
    if not data:
        return found
    spec = spec | {"seeds": seeds}
    units = units_of(spec, data)
    by_seed: dict[int, tuple[float, Arrays]] = {}
    for seed, trained, one in zip(seeds, _train(spec, data, units, device), data, strict=True):
        row = trained.row
        if trained.model is not None:
            try:
                learnt, judged, arrays = _judged(trained.model, one, spec, units, seed)
                row, found.fields[seed] = row | judged, learnt
                error_pct = float(np.nan_to_num(judged["field_error_pct"], nan=np.inf))
                by_seed[seed] = error_pct, arrays | _process(trained.frames)
            except Exception as error:
                failure = failed(error)
                row = row | failure if row["status"] == "ok" else row  # of two failures the first is told
        found.rows.append(row)
    if by_seed:
        ranked = sorted(by_seed, key=lambda seed: by_seed[seed][0])
        worst = by_seed[ranked[-1]][1]
        found.arrays = by_seed[ranked[(len(ranked) - 1) // 2]][1]
        found.arrays |= {"worst_seed": worst["seed"], "worst_learnt": worst["learnt"]}
    return found


def _judged(
    model: nn.Module, data: Observed, spec: dict[str, Any], units: Units, seed: int
) -> tuple[Learnt, Row, Arrays]:
    """The learnt right-hand side of one seed, how good it is, and what figures show of it.

    Raises:
        NumericalFailure: there is nothing to judge.
    """
    if not all(torch.isfinite(p).all() for p in model.parameters()):
        raise NumericalFailure("non_finite", "a learnt parameter is not finite")
    learnt = units.meant(partial(field_values, model))
    stiff = spec["system"].get("stiff", False)
    roll = partial(numpy_rollout, learnt, stiff=True) if stiff else rollout(model, units)
    judged, arrays = judge(learnt, roll, data, spec, draws(spec, seed, FRESH))
    row = judged | _eigenvalues(learnt, spec) | signal(data)
    return learnt, row, arrays | _observed(data) | {"seed": np.array(seed)}


def _process(frames: dict[int, np.ndarray]) -> Arrays:
    if not frames:
        return {}
    return {"process": np.stack(list(frames.values())), "process_iteration": np.array(list(frames))}


def _train(spec: dict[str, Any], data: list[Observed], units: Units, device: str) -> list[Trained]:
    """Train all seeds as one stack; where that fails as a whole, each seed by itself, and each fails by itself."""
    try:
        return _train_stack(spec, data, units, device)
    except Exception as error:
        failure = failed(error)
    if len(data) == 1:
        return [Trained({"seed": spec["seeds"][0]} | failure)]
    pairs = zip(spec["seeds"], data, strict=True)
    return [_train(spec | {"seeds": [seed]}, [one], units, device)[0] for seed, one in pairs]


def _train_stack(spec: dict[str, Any], data: list[Observed], units: Units, device: str) -> list[Trained]:
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
    return [
        Trained(row, model, {i: frame[m] for i, frame in frames.items()})
        for m, (row, model) in enumerate(zip(rows, singles, strict=True))
    ]


def make_model(spec: dict[str, Any], d: int, seed: int, device: str) -> nn.Module:
    """The model of one seed, as initialised; each system has initial values of its own."""
    torch.manual_seed(
        int(np.random.default_rng([seed, *mine]).integers(2**31)) if (mine := own(spec)) else seed
    )
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
