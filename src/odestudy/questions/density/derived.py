"""Cost at equal accuracy: how far each formula of a flow's density gets, and what its training steps cost there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study

Rows = list[dict[str, Any]]
COSTS = {"ratio_by_wall_s": "wall_s", "memory_ratio": "saved_mib"}


def density_equal_cost(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """One row a flow, dimension and formula: steps at the wanted error, and their cost over that of the exact trace.

    Operations are those of the evaluations; time and memory those of a training step with the same number of solver
    steps, from the experiment that measures a single one in the same dimension. A formula that does not reach the
    error with the most steps tried has none of them.
    """
    single: dict[tuple[int, str], dict[str, Any]] = {}
    rows: Rows = []
    for job in study.jobs_of(question, definition["experiments"]):
        found = read_metrics(job.metrics(study.results))["rows"]
        if "equal" not in found:
            single |= {(row["d"], row["formula"]): row for row in found["runs"] if row["status"] == "ok"}
            continue
        about = {"d": job.spec["d"], "method": job.spec["method"], "job": job.folder, "status": "ok"}
        for row in found["equal"]:
            for formula in job.spec["formulas"]:
                rows.append(about | {"seed": row["seed"], "formula": formula} | _reached(row, formula))
    trace = {(row["job"], row["seed"]): row for row in rows if row["formula"] == "trace"}
    return [row | _ratios(row, trace[row["job"], row["seed"]], single) for row in rows]


def _reached(row: dict[str, Any], formula: str) -> dict[str, Any]:
    step = row.get(f"step_{formula}")
    if step is None:
        return {"reached_pct": 0.0}
    return {"reached_pct": 100.0, "steps": round(1 / step), "flops": row[f"work_{formula}_flops"]}


def _ratios(
    row: dict[str, Any], trace: dict[str, Any], single: dict[tuple[int, str], dict[str, Any]]
) -> dict[str, float]:
    if "steps" not in row or "steps" not in trace:
        return {}
    ratios = {"work_ratio": row["flops"] / trace["flops"]}
    ours, theirs = (single.get((row["d"], name)) for name in (row["formula"], "trace"))
    if ours and theirs:
        times = row["steps"] / trace["steps"]
        ratios |= {name: times * ours[column] / theirs[column] for name, column in COSTS.items()}
    return ratios


DERIVED: dict[str, Callable[[Study, str, dict[str, Any]], Rows]] = {"density_equal_cost": density_equal_cost}
