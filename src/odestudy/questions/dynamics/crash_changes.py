"""The threshold of each way to a gradient, beside what it changes of the poster's setting."""

from __future__ import annotations

from typing import Any

import numpy as np

from odestudy.runtime.store import read_metrics
from odestudy.statistics.estimates import median_estimate
from odestudy.statistics.region import Region
from odestudy.study.load import Study

Rows = list[dict[str, Any]]
POSTER = {"library": "torchdiffeq", "gradient": "adjoint", "loss": "mean_square", "precision": "float32"}
# What a setting changes: factor -> its values that are a change of it alone. The seminorm changes the norm of the adjoint.
CHANGES = {
    "library": {"odestudy": "library"},
    "gradient": {
        "adjoint_seminorm": "norm",
        "backprop": "gradient",
        "checkpointed": "gradient",
        "quadrature": "gradient",
    },
    "loss": {"normalised": "scale"},
    "precision": {"float64": "precision"},
}
# Gradients that torchdiffeq lacks, so that the library changes with them.
OURS_ALONE = ("checkpointed", "quadrature")


def crash_thresholds(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """One row a problem and setting: the median threshold over seeds with its order-statistic interval, and what theory predicts.

    A threshold that more than half of the seeds do not reach is left out: nothing happened up to `tried_to`.
    """
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    folder: dict[tuple[Any, ...], str] = {}
    for job in study.jobs_of(question, definition["experiments"]):
        fixed = (job.spec["problem"]["name"], job.spec["library"], job.spec["gradient"])
        for run in read_metrics(job.metrics(study.results))["rows"]["runs"]:
            if "loss" in run:  # a job that ended before it came to any has rows without
                key = (*fixed, run["loss"], run["precision"])
                found.setdefault(key, []).append(run)
                folder.setdefault(key, job.folder)
    return [_row(key, runs) | {"job": folder[key]} for key, runs in found.items()]


def _row(key: tuple[Any, ...], runs: list[dict[str, Any]]) -> dict[str, Any]:
    setting = dict(zip(("problem", "library", "gradient", "loss", "precision"), key, strict=True))
    row = setting | {
        "seed": runs[0]["seed"],
        "status": "ok",
        "message": "",
        "changed": changed(setting),
        "seeds": len(runs),
        "underflows": sum(run.get("underflow_at") is not None for run in runs),
        "monotone": all(run["monotone"] for run in runs),
        "tried_to": min(run["tried_to"] for run in runs),
        "predicted_at": _median([run.get("predicted_at") for run in runs]),
        "underflow_at": _median([run.get("underflow_at") for run in runs]),
    }
    if row["underflow_at"] is not None and len(runs) > 5:
        ends = median_estimate([_number(run.get("underflow_at")) for run in runs], Region())
        row |= {
            "underflow_at_low": ends.low,
            "underflow_at_high": ends.high if np.isfinite(ends.high) else None,
        }
    return row


def changed(setting: dict[str, Any]) -> str:
    """What a setting changes of the poster's: nothing, one factor, several, or the library for a gradient that it alone has."""
    factors = [CHANGES[name][setting[name]] for name, poster in POSTER.items() if setting[name] != poster]
    if factors == ["library", "gradient"] and setting["gradient"] in OURS_ALONE:
        return "library_gradient"
    return "nothing" if not factors else factors[0] if len(factors) == 1 else "several"


def _number(value: float | None) -> float:
    return np.inf if value is None else float(value)


def _median(values: list[float | None]) -> float | None:
    median = float(np.median([_number(value) for value in values]))
    return median if np.isfinite(median) else None
