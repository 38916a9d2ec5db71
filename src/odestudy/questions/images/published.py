"""This study's errors of images beside those that others report."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from odestudy.questions.images.pairs import Rows, jobs_by_arm, runs_of
from odestudy.statistics.estimates import rate_estimate, t_estimate
from odestudy.statistics.region import FEWEST_SEEDS, Region
from odestudy.study.load import Study

COSTS = ("mflop", "saved_mib", "epoch_s", "time_to_99_s", "nfe_forward", "nfe_backward", "epochs")


def beside_published(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """One row a data set and arm of this run, each followed by what others report of that arm; last what this run lacks.

    Two intervals: the exact binomial one at the mean number of errors, which is the scatter of the test images, and Student's t over
    seeds, which is that of training.
    """
    jobs = jobs_by_arm(study, question, definition)
    rows: Rows = []
    for (dataset, arm), of_arm in jobs.items():
        found = [{"job": job.folder, **row} for job in of_arm for row in runs_of(job, study)]
        if found:
            rows.append({"dataset": dataset, "arm": arm, "whose": "this study", **_ours(found)})
    job = next(iter(jobs.values()))[0].folder if jobs else ""
    published = study.sources.get(question, {}).get("published", ())
    rows += [{**entry, "status": "ok", "job": job} for entry in published]
    places = list(dict.fromkeys((row["dataset"], row["arm"]) for row in rows))
    return sorted(rows, key=lambda row: places.index((row["dataset"], row["arm"])))


def _ours(found: Rows) -> dict[str, Any]:
    table = pd.DataFrame([row for row in found if row["status"] == "ok"])
    row: dict[str, Any] = {"job": found[0]["job"], "status": "ok" if len(table) else found[0]["status"]}
    if table.empty:
        return row
    row |= {"parameters": int(table["parameters"].iloc[0]), "test_error_pct": table["test_error_pct"].mean()}
    images = int(table["test_images"].iloc[0])
    binomial = rate_estimate(round(table["test_errors"].mean()), images, Region())
    row |= {
        "binomial_low_pct": 100 * binomial.low,
        "binomial_high_pct": 100 * binomial.high,
        "test_images": images,
    }
    if len(table) >= FEWEST_SEEDS:
        quantum = 100 / images
        seeds = t_estimate(table["test_error_pct"].tolist(), Region(), quantum=quantum)
        row |= {"seeds_low_pct": seeds.low, "seeds_high_pct": seeds.high}
    for column in COSTS:
        if column in table and table[column].notna().all():
            row[column] = float(np.median(table[column].astype(float)))
    return row
