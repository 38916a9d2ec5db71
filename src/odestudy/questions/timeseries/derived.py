"""Tables on time series that are made of runs and of what others report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study

Rows = list[dict[str, Any]]


def forecasts_beside_published(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """The extrapolation error of each seed, followed by what others report for that arm and number of observations."""
    rows: Rows = []
    for job in study.jobs_of(question, definition["experiments"]):
        where = {"arm": job.spec["arm"]["name"], "observed": job.spec["observed"]}
        runs = read_metrics(job.metrics(study.results))["rows"]["runs"]
        for run in runs:
            rows.append({**where, "whose": "this study", "job": job.folder} | {
                k: run[k] for k in ("seed", "status", "message", "extrapolation_rmse") if k in run
            })  # fmt: skip
        for entry in study.sources.get(question, {}).get("published", ()):
            if all(entry[axis] == value for axis, value in where.items()):
                rows.append({**entry, "status": "ok", "job": job.folder})
    return rows


DERIVED: dict[str, Callable[[Study, str, dict[str, Any]], Rows]] = {
    "forecasts_beside_published": forecasts_beside_published,
}
