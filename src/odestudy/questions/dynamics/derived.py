"""How often training succeeds over several systems: one share a seed, so that seeds are what is averaged over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.questions.dynamics.crash_changes import crash_thresholds
from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study

ENDS = {"ended_pct": "ok", "underflow_pct": "step_size_underflow", "too_many_steps_pct": "max_steps"}


def shares_over_systems(study: Study, question: str, definition: dict[str, Any]) -> list[dict[str, Any]]:
    """Per cent of systems that a way of training recovers, and gets through, a row a seed.

    What tells apart how was trained is what the table's summary is by. Runs of one seed on several systems are no
    independent repetitions. Where the summary is by `systems`, shares over the linear ones stand beside those over all.
    """
    apart = "systems" in definition["summary"]["by"]
    by = [name for name in definition["summary"]["by"] if name != "systems"]
    runs: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    folder: dict[tuple[Any, ...], str] = {}
    for job in study.jobs_of(question, definition["experiments"]):
        axes = {name: _name(job.spec[name]) for name in by if name in job.spec}
        linear = apart and job.spec["system"]["field"] == "linear"
        for row in read_metrics(job.metrics(study.results))["rows"]["runs"]:
            how = axes | {k: row[k] for k in by if k in row}
            for systems in ("all", *(["linear"] if linear else [])):
                key = (systems, *how.items(), row["seed"])
                runs.setdefault(key, []).append(row)
                folder.setdefault(key, job.folder)
    return [
        {"systems": systems, **dict(how), "seed": seed, "status": "ok", "message": "", "job": folder[key]}
        | _shares(found)
        for key, found in runs.items()
        for systems, *how, seed in [key]
    ]


def _shares(rows: list[dict[str, Any]]) -> dict[str, Any]:
    n = len(rows)
    statuses = [row["status"] for row in rows]
    found: dict[str, Any] = {"cells": n}
    for column, status in ENDS.items():
        found[column] = 100 * statuses.count(status) / n
    told = [row for row in rows if "recovered" in row]
    if told and all(
        "recovered" in row for row in rows if row["status"] == "ok"
    ):  # what failed is no recovery
        found["recovered_share_pct"] = 100 * sum(row["recovered"] for row in told) / n
    return found


def _name(value: Any) -> Any:
    return value["name"] if isinstance(value, dict) else value


DERIVED: dict[str, Callable[[Study, str, dict[str, Any]], list[dict[str, Any]]]] = {
    "shares_over_systems": shares_over_systems,
    "crash_thresholds": crash_thresholds,
}
