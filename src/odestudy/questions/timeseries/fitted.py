"""An arm trained on all seeds of a job at once, and one row a seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from odestudy.questions.timeseries.arms import Model, build, parameter_count
from odestudy.questions.timeseries.params import Fit
from odestudy.questions.timeseries.scores import score
from odestudy.questions.timeseries.series import Series
from odestudy.questions.timeseries.training import Recipe, generators_of, train
from odestudy.runtime.outcome import Row


def fitted(params: Fit, data: Series, test: Series, window: float, device: str) -> tuple[Model, list[Row]]:
    """The trained nets of all seeds, and their rows."""
    seeds = params.seeds
    model = build(params.arm, generators_of(seeds, 0), data.d, window, params.method, params.steps)
    model = model.to(device, data.x.dtype)
    recipe = Recipe(params.training_steps, params.batch, params.learning_rate, params.noise)
    curve = train(model, data, recipe, seeds, device)
    tail = max(1, len(curve.loss) // 10)
    found = {
        "train_loss_nat": curve.loss[-tail:].mean(0).tolist(),
        **score(model, test, params.noise, seeds),
    }
    rows = [
        row | {"parameters": parameter_count(model)} | (curve.failure(i) if row["status"] != "ok" else {})
        for i, row in enumerate(seed_rows(seeds, found))
    ]
    rows[0]["train_s"] = curve.train_s / len(
        seeds
    )  # one measurement, so one row has it and no interval is formed
    return model, rows


def seed_rows(seeds: Sequence[int], found: dict[str, list[float]]) -> list[Row]:
    """One row a seed; a seed with a value that is not finite failed, and keeps none."""
    rows: list[Row] = []
    for i, seed in enumerate(seeds):
        values = {name: value[i] for name, value in found.items()}
        row: Row = {"seed": seed, "status": "ok", "message": ""}
        bad = [name for name, value in values.items() if not np.isfinite(value)]
        if bad:
            row |= {"status": "non_finite", "message": f"{bad[0]} is not finite"}
        else:
            row |= values
        rows.append(row)
    return rows
