"""How much longer one net trains than another until both have the same error."""

from __future__ import annotations

from typing import Any

import numpy as np

from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study

Rows = list[dict[str, Any]]
Key = tuple[str, str, int]  # data set, arm, seed
OTHER = "resnet6"
LONGEST = (5, 20)  # epochs: rows C11a and C11d


def time_to_equal_error(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """Each arm against the residual network of six blocks, a row a seed and longest training.

    From trainings of several lengths, each with a schedule of its own, follows the test error by epochs; between lengths
    it is a power of them. The error that both reach is the larger of the two at the longest training. A net's time to it
    is the epochs that it takes, times the time of a step, which is measured alone; all nets take as many steps an epoch.
    `longest` says which training counts as the longest: each of LONGEST up to which both nets have the same lengths, and
    longer ones are left out.
    """
    errors: dict[Key, dict[int, float]] = {}
    steps: dict[Key, float] = {}
    job_of: dict[tuple[str, str], str] = {}
    for job in study.jobs_of(question, definition["experiments"]):
        key = job.spec["dataset"], job.spec["arm"]["name"]
        for row in read_metrics(job.metrics(study.results))["rows"]["runs"]:
            if "step_s" in row:
                steps[*key, row["seed"]] = row["step_s"]
            elif row["status"] == "ok":
                errors.setdefault((*key, row["seed"]), {})[job.spec["epochs"]] = row["test_error_pct"]
                job_of[key] = job.folder
    return [
        {**_times(sides, steps, key, longest), "status": "ok", "job": job_of[key[:2]]}
        for key in sorted(errors)
        if key[1] != OTHER and {(key[0], OTHER, key[2])} <= set(errors) & set(steps) and key in steps
        for longest in LONGEST
        if (sides := _same_lengths(errors[key], errors[key[0], OTHER, key[2]], longest))
    ]


def _same_lengths(
    own: dict[int, float], other: dict[int, float], longest: int
) -> tuple[dict[int, float], dict[int, float]] | None:
    """Both nets' errors by epochs, up to the longest; None where they were not trained for the same lengths."""
    sides = tuple({n: e for n, e in each.items() if n <= longest} for each in (own, other))
    return (sides[0], sides[1]) if set(sides[0]) == set(sides[1]) and longest in sides[0] else None


def _times(
    sides: tuple[dict[int, float], dict[int, float]], steps: dict[Key, float], key: Key, longest: int
) -> dict[str, Any]:
    dataset, arm, seed = key
    other = dataset, OTHER, seed
    level = max(side[longest] for side in sides)
    epochs, epochs_other = (epochs_to(side, level) for side in sides)
    return {
        "dataset": dataset,
        "arm": arm,
        "other": OTHER,
        "seed": seed,
        "longest": longest,
        "level_error_pct": level,
        "epochs_needed": epochs,
        "epochs_other": epochs_other,
        "times_epochs": epochs / epochs_other,
        "times_train_s": epochs * steps[key] / (epochs_other * steps[other]),
    }


def epochs_to(errors: dict[int, float], level: float) -> float:
    """Epochs after which the error is down to a level, interpolated in logarithms; the fewest tried where it always is.

    Args:
        errors: epochs -> error, which may rise between lengths by chance: the least so far counts, from when it is first met.
        level: not below the least of the errors.
    """
    epochs = np.array(sorted(errors))
    least, first = np.unique(np.minimum.accumulate([errors[e] for e in epochs]), return_index=True)
    return float(np.exp(np.interp(np.log(level), np.log(least), np.log(epochs[first]))))
