"""How often the flow by likelihood is the nearest to the truth, of all models of the same time."""

from __future__ import annotations

import math
from typing import Any

from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study

Rows = list[dict[str, Any]]
FLOOR_NAT = 1e-4  # a distance below it, or below zero, is one of sampling
MISSED = 1.1  # of the flow's time, up to which a training counts as one of the same time
OTHERS = ("realnvp", "planar", "kde", "mixture")


def nearest(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """One row a seed: on which share of the targets the flow by likelihood is nearer to the truth than the best other.

    `over_best` is the geometric mean over targets of its distance over that of the best other model. A model that ended
    without a distance, or took longer than the flow, counts as farther away; so does a flow that ended without one.
    """
    jobs = study.jobs_of(question, definition["experiments"])
    found = [
        row for job in jobs for row in _beside_best(read_metrics(job.metrics(study.results))["rows"]["runs"])
    ]
    rows: Rows = []
    for seed in sorted({row["seed"] for row in found}):
        mine = [row for row in found if row["seed"] == seed]
        ratios = [row["ratio"] for row in mine if row["ratio"] is not None]
        row = {"seed": seed, "status": "ok", "job": jobs[0].folder, "targets": len(mine)}
        row["nearest_pct"] = (
            100 * sum(r is not None and r < 1 for r in (m["ratio"] for m in mine)) / len(mine)
        )
        rows.append(
            row | ({"over_best": math.exp(sum(map(math.log, ratios)) / len(ratios))} if ratios else {})
        )
    return rows


def _beside_best(runs: Rows) -> Rows:
    """Of each seed of a job the flow's distance over the least of the others'; None where the flow has none."""
    rows: Rows = []
    for seed in dict.fromkeys(run["seed"] for run in runs):
        mine = {run["model"]: run for run in runs if run["seed"] == seed}
        known = [
            max(run["excess_nat"], FLOOR_NAT) for name, run in mine.items()
            if name in OTHERS and "excess_nat" in run and run["spent_s"] <= MISSED * run["budget_s"]
        ]  # fmt: skip
        flow = mine["cnf"].get("excess_nat")
        ratio = max(flow, FLOOR_NAT) / min(known) if flow is not None and known else None
        rows.append({"seed": seed, "ratio": ratio})
    return rows
