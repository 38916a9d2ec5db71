"""Tables whose rows are made of several runs, or of what others report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from odestudy.measure.fits import LEVEL
from odestudy.measure.store import read_arrays, read_metrics
from odestudy.plan.jobs import Job
from odestudy.plan.study import Study
from odestudy.present.derive_density import density_equal_cost
from odestudy.present.derive_gradients import growth_in_words, work_at_level
from odestudy.present.over_systems import shares_over_systems
from odestudy.present.stats import FEWEST_SEEDS, Region, mcnemar_p, rate_estimate, t_estimate

Rows = list[dict[str, Any]]
COMPARED = "odenet_adjoint"  # the arm that the claims compare with all others
COSTS = ("mflop", "saved_mib", "epoch_s", "time_to_99_s", "nfe_forward", "nfe_backward", "epochs")


def derived_rows(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """The rows of a table with a key `derive`."""
    return DERIVED[definition["derive"]](study, question, definition)


def mcnemar_pairs(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """The ODE-Net by adjoint against every other arm, on the same test images, a row a seed."""
    right: dict[tuple[str, str], dict[int, np.ndarray]] = {}
    jobs: dict[tuple[str, str], Job] = {}
    for job in study.jobs_of(question, definition["experiments"]):
        arrays = read_arrays(job.metrics(study.results))
        key = (job.spec["dataset"], job.spec["arm"]["name"])
        jobs[key] = job
        for name, found in arrays.items():
            if name.startswith("found_seed"):
                right.setdefault(key, {})[int(name.removeprefix("found_seed"))] = found == arrays["truth"]
    rows: Rows = []
    for (dataset, other), theirs in right.items():
        ours = right.get((dataset, COMPARED), {})
        for seed in sorted(set(ours) & set(theirs)) if other != COMPARED else ():
            a, b = ours[seed], theirs[seed]
            p = mcnemar_p(a, b)
            rows.append(
                {
                    "dataset": dataset,
                    "arm": COMPARED,
                    "other": other,
                    "seed": seed,
                    "only_arm": int((a & ~b).sum()),
                    "only_other": int((~a & b).sum()),
                    "p": p,
                    "differ": float(p < 1 - LEVEL),
                    "status": "ok",
                    "job": jobs[dataset, other].folder,
                }
            )
    return rows


def beside_published(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """One row an arm, followed by what others report for it.

    Two intervals: Wilson's at the mean number of errors, which is the scatter of the test images, and Student's t over
    seeds, which is that of training.
    """
    runs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for job in study.jobs_of(question, definition["experiments"]):
        key = (job.spec["dataset"], job.spec["arm"]["name"])
        metrics = read_metrics(job.metrics(study.results))
        runs.setdefault(key, []).extend({"job": job.folder, **row} for row in metrics["rows"]["runs"])
    rows: Rows = []
    for (dataset, arm), found in ((key, found) for key, found in runs.items() if found):
        rows.append({"dataset": dataset, "arm": arm, "whose": "this study", **_ours(found)})
        for entry in study.sources.get(question, {}).get("published", ()):
            if (entry["dataset"], entry["arm"]) == (dataset, arm):
                rows.append({**entry, "status": "ok", "job": found[0]["job"]})
    return rows


def _ours(found: Rows) -> dict[str, Any]:
    table = pd.DataFrame([row for row in found if row["status"] == "ok"])
    row: dict[str, Any] = {"job": found[0]["job"], "status": "ok" if len(table) else found[0]["status"]}
    if table.empty:
        return row
    row |= {"parameters": table["parameters"].iloc[0], "test_error_pct": table["test_error_pct"].mean()}
    images = int(table["test_images"].iloc[0])
    wilson = rate_estimate(round(table["test_errors"].mean()), images, Region())
    row |= {"wilson_low_pct": 100 * wilson.low, "wilson_high_pct": 100 * wilson.high, "test_images": images}
    if len(table) >= FEWEST_SEEDS:
        seeds = t_estimate(table["test_error_pct"].tolist(), Region())
        row |= {"seeds_low_pct": seeds.low, "seeds_high_pct": seeds.high}
    for column in COSTS:
        if column in table and table[column].notna().all():
            row[column] = float(np.median(table[column].astype(float)))
    return row


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
    "beside_published": beside_published,
    "forecasts_beside_published": forecasts_beside_published,
    "protocol_card": protocol_card,
    "density_equal_cost": density_equal_cost,
    "work_at_level": work_at_level,
    "growth_in_words": growth_in_words,
    "shares_over_systems": shares_over_systems,
}
