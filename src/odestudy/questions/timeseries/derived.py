"""Tables on time series that are made of runs and of what others report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study

Rows = list[dict[str, Any]]


ERRORS = ("interpolation_rmse", "extrapolation_rmse")


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


def ratios_by_seed(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """The errors of each arm over those of each other one, seed by seed, at the same number of observations.

    The two share data and order. A seed that failed on either side is a row with that status and without ratios.
    """
    runs: dict[tuple[str, int], tuple[str, dict[int, dict[str, Any]]]] = {}
    for job in study.jobs_of(question, definition["experiments"]):
        found = read_metrics(job.metrics(study.results))["rows"]["runs"]
        key = job.spec["arm"]["name"], job.spec["observed"]
        runs[key] = job.folder, {run["seed"]: run for run in found}
    rows: Rows = []
    for (arm, observed), (folder, mine) in runs.items():
        for (against, count), (_, others) in runs.items():
            if arm == against or count != observed:
                continue
            for seed in sorted(mine.keys() & others.keys()):
                row = {"arm": arm, "against": against, "observed": observed, "seed": seed, "job": folder}
                rows.append(row | _ratios(mine[seed], others[seed]))
    return rows


def _ratios(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    for run in (one, other):
        if run["status"] != "ok":
            return {"status": run["status"], "message": run["message"]}
    ratios = {column.replace("_rmse", "_ratio"): one[column] / other[column] for column in ERRORS}
    return {"status": "ok", "message": ""} | ratios


DERIVED: dict[str, Callable[[Study, str, dict[str, Any]], Rows]] = {
    "forecasts_beside_published": forecasts_beside_published,
    "ratios_by_seed": ratios_by_seed,
}
