"""Tables whose rows are made of several runs, or of what others report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.analysis.derive_budgets import time_to_equal_error
from odestudy.analysis.derive_density import density_equal_cost
from odestudy.analysis.derive_images import beside_published, equivalence_pairs, mcnemar_pairs
from odestudy.runtime.registry import derived_of
from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study

Rows = list[dict[str, Any]]


def derived_rows(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """The rows of a table with a key `derive`."""
    return (DERIVED | derived_of(question))[definition["derive"]](study, question, definition)


def protocol_card(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """Paper, released code and this study side by side, a row a difference."""
    card = study.sources.get(question, {}).get("protocol", ())
    jobs = study.jobs_of(question, definition["experiments"])
    return [{**entry, "status": "ok", "job": job.folder} for job in jobs[:1] for entry in card]


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
    "mcnemar_pairs": mcnemar_pairs,
    "equivalence_pairs": equivalence_pairs,
    "time_to_equal_error": time_to_equal_error,
    "beside_published": beside_published,
    "forecasts_beside_published": forecasts_beside_published,
    "protocol_card": protocol_card,
    "density_equal_cost": density_equal_cost,
}
