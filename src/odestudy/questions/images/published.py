"""This study's errors of images beside those that others report."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from odestudy.questions.images.pairs import Key, Rows, jobs_by_arm, runs_of
from odestudy.statistics.estimates import rate_estimate, t_estimate
from odestudy.statistics.region import FEWEST_SEEDS, Region
from odestudy.study.load import Study

BLOCKS = 6  # of the residual networks whose peak is shown
STACKS = ("resnet6", "tied6")  # whose blocks are varied where memory is measured
TRAINING, STEP, MEMORY = "images_train.train", "images_cost.step", "images_cost.cost"  # tasks
COSTS = ("mflop", "epoch_s", "time_to_99_s", "nfe_forward", "nfe_backward", "epochs")


def beside_published(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """One row a data set and arm of this run, each followed by what others report of that arm; last what this run lacks.

    Beside its trainings stand the time of a step and the peak of its memory, each measured alone, where they are.

    Two intervals: the exact binomial one at the mean number of errors, which is the scatter of the test images, and Student's t over
    seeds, which is that of training.
    """
    jobs = {
        key: trainings
        for key, of_arm in jobs_by_arm(study, question, definition).items()
        if (trainings := [job for job in of_arm if job.task == TRAINING])
    }
    alone = _measured_alone(study, question, definition)
    rows: Rows = []
    for (dataset, arm), of_arm in jobs.items():
        found = [{"job": job.folder, **row} for job in of_arm for row in runs_of(job, study)]
        if found:
            own = _ours(found) | alone.get((dataset, arm), {})
            rows.append({"dataset": dataset, "arm": arm, "whose": "this study", **own})
    job = next(iter(jobs.values()))[0].folder if jobs else ""
    published = study.sources.get(question, {}).get("published", ())
    rows += [{**entry, "status": "ok", "job": job} for entry in published]
    places = list(dict.fromkeys((row["dataset"], row["arm"]) for row in rows))
    return sorted(rows, key=lambda row: places.index((row["dataset"], row["arm"])))


def _measured_alone(study: Study, question: str, definition: dict[str, Any]) -> dict[Key, dict[str, float]]:
    """By data set and arm: the mean time of a training step, its peak of memory and what autograd keeps."""
    rows: dict[Key, Rows] = {}
    for job in study.jobs_of(question, definition["experiments"]):
        if job.task in (STEP, MEMORY):
            key = job.spec["dataset"], job.spec["arm"]["name"]
            rows.setdefault(key, []).extend(row for row in runs_of(job, study) if row["status"] == "ok")
    return {
        (dataset, arm): {
            "step_s": _mean([row["step_s"] for row in found if "step_s" in row]),
            "peak_mib": _memory(found, arm, "peak_mib"),
            "saved_mib": _memory(found, arm, "saved_mib"),
        }
        for (dataset, arm), found in rows.items()
    }


def _memory(found: Rows, arm: str, column: str) -> float:
    """With the adaptive solver, mean over processes; of a stack of blocks that of six, or on a line through fewer and more."""
    values = [(row.get("steps"), row[column]) for row in found if column in row]
    if arm not in STACKS:
        return _mean([value for n, value in values if n is None])
    means = pd.DataFrame(values, columns=["blocks", "value"]).groupby("blocks")["value"].mean()
    if means.empty:
        return math.nan
    return float(np.interp(BLOCKS, means.index, means, left=np.nan, right=np.nan))


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else math.nan


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
