"""Time series: a latent ODE against recurrent nets on spirals, and on a series of temperatures (claim C28)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from odestudy.integrate import named_failure
from odestudy.nets.latent import Latent
from odestudy.nets.timeseries import Model, build, parameter_count
from odestudy.runtime.outcome import Outcome, Row
from odestudy.timeseries.elnino import MONTHS, MONTHS_A_UNIT, elnino
from odestudy.timeseries.homotopy import paths, smoothness
from odestudy.timeseries.pictures import latent_pictures, pictures
from odestudy.timeseries.scores import rmse, score
from odestudy.timeseries.series import Series, stack
from odestudy.timeseries.spirals import KINDS, spirals
from odestudy.timeseries.training import Recipe, generators_of, train


def forecast(spec: dict[str, Any], device: str) -> Outcome:
    """Train one arm on spirals, all seeds at once, and judge it on fresh ones.

    Rows: `runs`, one a seed; `homotopy`, one a seed of an arm with a latent space. Arrays: the first seed's.
    """
    dtype, seeds, window = getattr(torch, spec["dtype"]), spec["seeds"], KINDS[spec["kind"]].window

    def drawn(count: int, purpose: int) -> Series:
        law = (spec["spacing"], spec["observed"], spec["noise"])
        sets = [spirals(spec["kind"], count, *law, np.random.default_rng([s, purpose])) for s in seeds]
        return stack(sets, device, dtype)

    test = drawn(spec["test_size"], 1)
    model, rows = _fit(spec, drawn(spec["train_size"], 0), test, window, device)
    arrays = pictures(model, test)
    outcome = {"runs": rows}
    if isinstance(model, Latent):
        path = paths(model, test, spec["pairs"], window)
        arrays |= latent_pictures(model, test, path, window)
        outcome["homotopy"] = _seed_rows(spec, smoothness(path))
    return Outcome(outcome, arrays)


def _fit(
    spec: dict[str, Any], data: Series, test: Series, window: float, device: str
) -> tuple[Model, list[Row]]:
    """The trained nets of all seeds, and their rows."""
    seeds = spec["seeds"]
    model = build(spec["arm"], generators_of(seeds, 0), data.d, window, spec["method"], spec["steps"])
    model = model.to(device, data.x.dtype)
    recipe = Recipe(spec["iterations"], spec["batch"], spec["learning_rate"], spec["noise"])
    curve = train(model, data, recipe, seeds, device)
    tail = max(1, len(curve.loss) // 10)
    found = {
        "train_loss_nat": curve.loss[-tail:].mean(0).tolist(),
        **score(model, test, spec["noise"], seeds),
    }
    rows = [
        row | {"parameters": parameter_count(model)} | (curve.failure(i) if row["status"] != "ok" else {})
        for i, row in enumerate(_seed_rows(spec, found))
    ]
    rows[0]["train_s"] = curve.train_s / len(
        seeds
    )  # one measurement, so one row has it and no interval is formed
    return model, rows


def _seed_rows(spec: dict[str, Any], found: dict[str, list[float]]) -> list[Row]:
    """One row a seed; a seed with a value that is not finite failed, and keeps none."""
    rows: list[Row] = []
    for i, seed in enumerate(spec["seeds"]):
        values = {name: value[i] for name, value in found.items()}
        row: Row = {"seed": seed, "status": "ok", "message": ""}
        bad = [name for name, value in values.items() if not np.isfinite(value)]
        if bad:
            row |= {"status": "non_finite", "message": f"{bad[0]} is not finite"}
        else:
            row |= values
        rows.append(row)
    return rows


def temperatures(spec: dict[str, Any], device: str) -> Outcome:
    """Train one arm on two-year windows of sea-surface temperatures with random gaps, and judge it on later years.

    Rows `runs`, one a seed, with the error of the mean of each calendar month beside it. Arrays: the first seed's.
    """
    dtype, seeds = getattr(torch, spec["dtype"]), spec["seeds"]
    parts = {
        part: [elnino(part, spec["observed"], np.random.default_rng([s, i])) for s in seeds]
        for i, part in enumerate(("train", "test"))
    }
    data, test = (stack([p[0] for p in parts[part]], device, dtype) for part in ("train", "test"))
    model, rows = _fit(spec, data, test, (MONTHS - 1) / MONTHS_A_UNIT, device)
    for row, (series, inner, outer) in zip(rows, parts["test"], strict=True):
        row |= {
            "climate_interpolation_rmse": _rmse_of(inner, series.inner),
            "climate_extrapolation_rmse": _rmse_of(outer, series.outer),
        }
    return Outcome({"runs": rows}, pictures(model, test))


def _rmse_of(found: np.ndarray, truth: Tensor) -> float:
    return rmse(torch.from_numpy(found)[None], truth[None])[0]


Task = Callable[[dict[str, Any], str], Outcome]


def apart_on_failure(task: Task) -> Task:
    """A solve that fails ends the whole stack of seeds; then each seed runs by itself, and fails by itself."""

    def run(spec: dict[str, Any], device: str) -> Outcome:
        try:
            return task(spec, device)
        except Exception as error:
            failure = named_failure(error)
            if failure is None:
                raise
            if len(spec["seeds"]) == 1:
                row: Row = {"seed": spec["seeds"][0], "status": failure.status, "message": str(failure)}
                return Outcome({"runs": [row]})
        return _together([run(spec | {"seeds": [seed]}, device) for seed in spec["seeds"]])

    return run


def _together(outcomes: list[Outcome]) -> Outcome:
    """All rows, and the arrays of the first outcome that has any."""
    names = dict.fromkeys(name for outcome in outcomes for name in outcome.rows)
    rows = {name: [row for outcome in outcomes for row in outcome.rows.get(name, [])] for name in names}
    return Outcome(rows, next((outcome.arrays for outcome in outcomes if outcome.arrays), {}))


TASKS = {
    "forecast": apart_on_failure(forecast),
    "temperatures": apart_on_failure(temperatures),
}
