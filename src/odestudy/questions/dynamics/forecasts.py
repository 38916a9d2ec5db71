"""Forecasts of learnt stiff systems, those that leave all bounds among them."""

from __future__ import annotations

import math
from typing import Any

from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study

Rows = list[dict[str, Any]]


def forecasts(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """The runs as they are stored, each with `diverged_pct`: 100 where its forecast has no error that is a number, else 0.

    A training may end well and give a field whose trajectories leave all bounds. Its mean over seeds is their share. A
    training that failed has made no forecast.
    """
    found: Rows = []
    for job in study.jobs_of(question, definition["experiments"]):
        axes = {name: job.axis(name) for name in definition["summary"]["by"] if name in job.spec}
        for row in read_metrics(job.metrics(study.results))["rows"]["runs"]:
            about = {"diverged_pct": _diverged_pct(row)} if row["status"] == "ok" else {}
            found.append(axes | row | about | {"job": job.folder})
    return found


def _diverged_pct(row: dict[str, Any]) -> float:
    error = row.get("trajectory_nrmse")
    return 0.0 if error is not None and math.isfinite(error) else 100.0
