"""Tables that set trace and log-determinant against each other at an equal error, and at an equal time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study

Rows = list[dict[str, Any]]
TRACE, LOGDET = "structured_trace", "structured_logdet"
LEVELS = (0.1, 0.01, 0.001, 0.0001)  # nat
BEST = "best"  # the least error of any solver
FLOW = ["target", "scale", "seed", "precision"]


def time_to_error(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """One row a flow, seed, precision, solver and level: step and time a sample from which on the error is below it.

    Steps are halved, so between two of them both are interpolated in logarithms. `time_ratio` is that of the
    log-determinant over that of the trace.
    """
    rows: Rows = []
    for key, method, curves in _compared(study, question, definition):
        for level in LEVELS:
            row = key | {"method": method, "level": level, "status": "ok"}
            for name, formula in (("trace", TRACE), ("logdet", LOGDET)):
                curve = curves[formula]
                row[f"time_{name}_us"] = _at(curve["error_nat"], curve["time_us"], level)
                row[f"steps_{name}"] = _at(curve["error_nat"], curve["steps"], level)
            row["time_ratio"] = _ratio(row["time_logdet_us"], row["time_trace_us"])
            row["steps_ratio"] = _ratio(row["steps_logdet"], row["steps_trace"])
            rows.append(row)
    return rows


def error_at_time(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """One row a flow, seed, precision, solver and step of the trace: its error, and the determinant's at that step and in that time.

    `error_ratio` is the determinant's error over the trace's at an equal step, `error_ratio_at_time` in an equal time,
    between two steps interpolated in logarithms. The best of all solvers has no one step.
    """
    rows: Rows = []
    for key, method, curves in _compared(study, question, definition):
        trace, other = curves[TRACE], curves[LOGDET]
        at_step = {} if method == BEST else dict(zip(other["steps"], other["error_nat"], strict=True))
        for _, run in trace.iterrows():
            row = key | {"method": method, "time_us": run["time_us"], "error_trace_nat": run["error_nat"]}
            row |= {"status": "ok", "step": None if method == BEST else 1 / run["steps"]}
            row["error_ratio"] = _ratio(at_step.get(run["steps"]), run["error_nat"])
            row["error_logdet_nat"] = _at(other["time_us"], other["error_nat"], run["time_us"])
            row["error_ratio_at_time"] = _ratio(row["error_logdet_nat"], run["error_nat"])
            rows.append(row)
    return rows


def _compared(
    study: Study, question: str, definition: dict[str, Any]
) -> list[tuple[dict[str, Any], str, dict[str, pd.DataFrame]]]:
    """For each flow, seed, precision and solver the curves of both formulas, finest step last."""
    runs = _timed_runs(study, question, definition)
    if runs.empty:
        return []
    found = []
    for key, mine in runs.groupby([*FLOW, "job"], sort=False):
        about: dict[str, Any] = dict(zip([*FLOW, "job"], key, strict=True))
        curves = {(m, f): _falling(part) for (m, f), part in mine.groupby(["method", "formula"], sort=False)}
        curves |= {(BEST, f): _falling(part) for f, part in mine.groupby("formula", sort=False)}
        for method in dict.fromkeys(str(m) for m, _ in curves):
            if {(method, TRACE), (method, LOGDET)} <= set(curves):
                found.append((about, method, {f: curves[method, f] for f in (TRACE, LOGDET)}))
    return found


def _falling(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs by time, without those that are worse than a quicker one."""
    runs = runs.sort_values("time_us")
    return runs[runs["error_nat"] < runs["error_nat"].cummin().shift(fill_value=math.inf)]


def _timed_runs(study: Study, question: str, definition: dict[str, Any]) -> pd.DataFrame:
    """Runs with an error, each with its time a sample: that of a step, measured alone, times its steps."""
    step_us: dict[tuple[Any, ...], float] = {}
    runs: Rows = []
    for job in study.jobs_of(question, definition["experiments"]):
        rows = read_metrics(job.metrics(study.results))["rows"]["runs"]
        if "target" not in job.spec:
            where = job.spec["method"], job.spec["precision"]
            step_us |= {
                (*where, r["d"], r["width"], r["way"]): 1e6 * r["wall_s"] for r in rows if "wall_s" in r
            }
            continue
        about = {"target": job.spec["target"]["name"], "job": job.folder}
        about |= {"d": dimension(job.spec["target"]), "width": job.spec["width"]}
        runs += [about | r for r in rows if r.get("error_nat", 0) > 0]
    for run in runs:
        key = (run["method"], run["precision"], run["d"], run["width"], run["formula"])
        run["time_us"] = run["steps"] * step_us.get(key, math.nan)
    return pd.DataFrame(runs).dropna(subset=["time_us"]) if runs else pd.DataFrame()


def dimension(target: dict[str, Any]) -> int:
    """The dimension of a target of the configuration, two unless it says otherwise."""
    return int((target.get("parameters") or {}).get("d", 2))


def _at(given: pd.Series, wanted: pd.Series, level: float) -> float | None:
    """`wanted` where `given` is at a level, interpolated in logarithms; None outside what was measured."""
    x, y = np.log(given.to_numpy(dtype=float)), np.log(wanted.to_numpy(dtype=float))
    order, at = np.argsort(x), math.log(level)
    if len(x) < 2 or not x[order[0]] <= at <= x[order[-1]]:
        return None
    return float(np.exp(np.interp(at, x[order], y[order])))


def _ratio(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one / other
