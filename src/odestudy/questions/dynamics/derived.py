"""Tables on dynamics that are made of several runs: shares of systems that succeed, and thresholds of decay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from odestudy.questions.dynamics.crash_changes import crash_thresholds
from odestudy.questions.dynamics.forecasts import forecasts
from odestudy.questions.dynamics.last_learnt import last_learnt
from odestudy.questions.dynamics.over_true_form import beside_true_form
from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study

SADDLE = "saddle"
ENDS = {"ended_pct": "ok", "underflow_pct": "step_size_underflow", "too_many_steps_pct": "max_steps"}


def shares_over_systems(study: Study, question: str, definition: dict[str, Any]) -> list[dict[str, Any]]:
    """Per cent of systems that a way of training recovers, and gets through, a row a seed.

    What tells apart how was trained is what the table's summary is by. Runs of one seed on several systems are no
    independent repetitions. Where the summary is by `systems`, shares over the linear ones stand beside those over all.
    Underflows on the saddle are told apart by the solve in which they happen: only one backward is a matter of the gradient.
    """
    apart = "systems" in definition["summary"]["by"]
    by = [name for name in definition["summary"]["by"] if name != "systems"]
    runs: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    folder: dict[tuple[Any, ...], str] = {}
    for job in study.jobs_of(question, definition["experiments"]):
        axes = {name: job.axis(name) for name in by if name in job.spec}
        linear = apart and job.spec["system"]["field"] == "linear"
        saddle = job.axis("system") == SADDLE
        for row in read_metrics(job.metrics(study.results))["rows"]["runs"]:
            row = row | {"on_saddle": saddle}
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
    if saddle := [row for row in rows if row.get("on_saddle")]:
        ended_in = [row.get("failed_in") for row in saddle if row["status"] == ENDS["underflow_pct"]]
        for way in ("forward", "backward"):
            found[f"saddle_{way}_pct"] = 100 * ended_in.count(way) / len(saddle)
    told = [row for row in rows if "recovered" in row]
    if told and all(
        "recovered" in row for row in rows if row["status"] == "ok"
    ):  # what failed is no recovery
        found["recovered_share_pct"] = 100 * sum(row["recovered"] for row in told) / n
    return found


def reach_of_decay(study: Study, question: str, definition: dict[str, Any]) -> list[dict[str, Any]]:
    """By how many decades the slowest mode may decay before trajectories from fresh starts are lost, a row a length and seed.

    Measured: where their error first passes the margin `recovered`, log-log between two settings; zero where it is
    larger at the first, and nothing where it never passes. Predicted: where half of the observations show the fastest
    mode above the noise, a exp(-r T / 2) = sigma. `times_predicted` is one over the other, infinite where it never passes.
    """
    recovered = study.margins[question]["recovered"].at_most
    assert recovered is not None, "what is recovered has a largest error"
    runs: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    about: dict[tuple[Any, ...], Any] = {}
    for job in study.jobs_of(question, definition["experiments"]):
        for row in read_metrics(job.metrics(study.results))["rows"]["runs"]:
            key = (job.axis("system"), job.axis("arm"), job.spec["iterations"], row["seed"])
            runs.setdefault(key, []).append(row | {"decades": job.spec["decades"]})
            about[key] = job
    found = []
    for key, rows in runs.items():
        spec, row = about[key].spec, dict(zip(("system", "arm", "iterations", "seed"), key, strict=True))
        row |= {"status": "ok", "message": "", "job": about[key].folder}
        reached = _passes(rows, "heldout_nrmse", recovered)
        predicted = half_above_noise(spec["system"], spec["noise"])
        row |= {"recovered_decades": reached, "predicted_decades": predicted}
        found.append(row | {"times_predicted": (np.inf if reached is None else reached) / predicted})
    return found


def _passes(rows: list[dict[str, Any]], column: str, limit: float) -> float | None:
    """Where a column first passes a limit, along the decades."""
    rows = sorted(rows, key=lambda row: row["decades"])
    errors = [e if (e := row.get(column)) is not None and np.isfinite(e) else np.inf for row in rows]
    over = next((i for i, error in enumerate(errors) if error > limit), None)
    if over is None:
        return None
    if over == 0:
        return 0.0
    if not np.isfinite(errors[over]):
        return float(rows[over - 1]["decades"])
    x, y = (np.log([v[over - 1], v[over]]) for v in ([row["decades"] for row in rows], errors))
    return float(np.exp(np.interp(np.log(limit), y, x)))


def half_above_noise(system: dict[str, Any], noise: float) -> float:
    """The decades of the slowest mode at which the fastest one is as large as the noise in the middle of the time."""
    values, vectors = np.linalg.eig(np.asarray(system["parameters"]["matrix"], dtype=complex))
    parts = vectors * np.linalg.solve(vectors, np.asarray(system["z0"], dtype=complex))
    rates = -values.real
    size = float(np.linalg.norm(parts[:, np.isclose(rates, rates.max())].sum(axis=1)))
    return float(2 * np.log(size / noise) / rates.max() * rates.min() / np.log(10))


DERIVED: dict[str, Callable[[Study, str, dict[str, Any]], list[dict[str, Any]]]] = {
    "shares_over_systems": shares_over_systems,
    "reach_of_decay": reach_of_decay,
    "crash_thresholds": crash_thresholds,
    "last_learnt": last_learnt,
    "forecasts": forecasts,
    "beside_true_form": beside_true_form,
}
