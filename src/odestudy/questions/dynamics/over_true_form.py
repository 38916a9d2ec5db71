"""Errors in units of what knowing the form would reach on the same data."""

from __future__ import annotations

from typing import Any

from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study

Rows = list[dict[str, Any]]
TRUE_FORM = "true_form"
# With the seed they say which observations a fit has seen.
DATA = ("system", "noise_pct", "points", "trajectories")


def beside_true_form(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """The runs as they are stored, each with `over_true_form`: its field error over that of least squares with the true form.

    Both saw the same observations. Where the true form was not fitted to them, or its fit failed, there is no such number.
    """
    found: Rows = []
    for job in study.jobs_of(question, definition["experiments"]):
        names = dict.fromkeys([*DATA, *definition["summary"]["by"]])
        axes = {name: job.axis(name) for name in names if name in job.spec}
        for row in read_metrics(job.metrics(study.results))["rows"]["runs"]:
            found.append(axes | row | {"job": job.folder})
    knowing = {
        _observations(row): row["field_error_pct"]
        for row in found
        if row.get("arm") == TRUE_FORM and row["status"] == "ok" and row.get("field_error_pct")
    }
    return [row | _over(row, knowing.get(_observations(row))) for row in found]


def _over(row: dict[str, Any], knowing: float | None) -> dict[str, Any]:
    error = row.get("field_error_pct")
    return {} if knowing is None or error is None else {"over_true_form": error / knowing}


def _observations(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["seed"], *(row.get(name) for name in DATA))
