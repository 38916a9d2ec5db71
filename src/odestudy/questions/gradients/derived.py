"""Tables on gradients that are made of several runs: work at one error, growth in words, limits, and advice."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from odestudy.questions.gradients.advice import which_gradient
from odestudy.questions.gradients.limits import limits
from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study

Rows = list[dict[str, Any]]
MEASURES = {"saved_mib": "saved_growth", "peak_mib": "peak_growth", "wall_s": "wall_growth"}
COUNTED = ("nfe", "jacobians", "wall_s")


def work_at_level(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """One row a problem and method: evaluations, Jacobians and time at the wanted error.

    Between the two settings that enclose the error they are interpolated; where the coarsest setting that works is better
    already they are its own, which is a bound.
    """
    rows: Rows = []
    for job in study.jobs_of(question, definition["experiments"]):
        problem, level = job.spec["problem"]["name"], float(job.spec["level"])
        found = read_metrics(job.metrics(study.results))["rows"]["runs"]
        runs = pd.DataFrame(found)
        if "method" not in runs:  # the job ended before it came to any
            rows += [{"problem": problem, "level": level, "job": job.folder} | row for row in found]
            continue
        for (method, kind), mine in runs.groupby(["method", "kind"], sort=False):
            row = {"problem": problem, "method": method, "kind": kind, "level": level, "job": job.folder}
            rows.append(row | {"seed": mine["seed"].iloc[0], "status": "ok"} | _at_level(mine, level))
    return rows


def _at_level(runs: pd.DataFrame, level: float) -> dict[str, Any]:
    known = (
        runs[runs["error"] > 0].sort_values("error", ascending=False) if "error" in runs else runs.iloc[:0]
    )
    if known.empty or known["error"].min() > level:
        return {"reached": "no"}
    if known["error"].max() <= level:
        coarsest = known.iloc[0]
        return {"reached": "by the coarsest setting that works"} | {
            f"level_{c}": coarsest.get(c) for c in COUNTED
        }
    at, errors = -math.log(level), -np.log(known["error"].to_numpy(dtype=float))
    found = {}
    for column in COUNTED:
        values = known[column].to_numpy(dtype=float) if column in known else np.full(len(known), np.nan)
        log = bool((values > 0).all())
        between = float(np.interp(at, errors, np.log(values) if log else values))
        found[f"level_{column}"] = math.exp(between) if log else between
    return {"reached": "between two settings"} | found


def growth_in_words(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """One row a way to the gradient and a varied number: how each measure grows with it, where its fit can tell."""
    rows: Rows = []
    constant = study.margins[question]["constant_memory"].at_most
    assert constant is not None, "the margin has an upper end"
    for job in study.jobs_of(question, definition["experiments"]):
        found = read_metrics(job.metrics(study.results))["rows"]
        if "fits" not in found:  # the job ended before it had what is fitted
            rows += [{"arm": job.spec["arm"], "job": job.folder} | row for row in found["runs"]]
            continue
        fits = pd.DataFrame(found["fits"])
        for varied, mine in fits.groupby("varied", sort=False) if len(fits) else ():
            row = {"arm": job.spec["arm"], "varied": varied, "seed": job.spec["seeds"][0], "status": "ok"}
            said = {MEASURES[fit["measure"]]: _growth(fit, constant) for _, fit in mine.iterrows()}
            kept = mine[mine["measure"] == "saved_mib"]["exponent"]
            rows.append(row | {"job": job.folder, "exponent": kept.iloc[0] if len(kept) else None} | said)
    return rows


def _growth(fit: pd.Series, constant: float) -> str:
    """A constant (growth below that share of it), a power with its interval, or that the fit cannot tell: its interval holds no growth at all."""
    columns = ("exponent", "exponent_low", "exponent_high", "growth_share")
    exponent, low, high, share = (math.nan if pd.isna(fit.get(c)) else float(fit[c]) for c in columns)
    if math.isnan(exponent):
        return "no fit"
    if abs(share) < constant:
        return "constant"
    if not (low > 0 or high < 0):
        return "the fit cannot tell"
    value, *ends = (f"{x:.2f}" for x in (exponent, low, high))
    return f"N to the {value}" if ends[0] == ends[1] else f"N to the {value} [{ends[0]}, {ends[1]}]"


DERIVED: dict[str, Callable[[Study, str, dict[str, Any]], Rows]] = {
    "work_at_level": work_at_level,
    "growth_in_words": growth_in_words,
    "limits": limits,
    "which_gradient": which_gradient,
}
