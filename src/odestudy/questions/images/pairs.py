"""Tables about images whose rows compare two arms on the same seeds and test images."""

from __future__ import annotations

from typing import Any

import numpy as np

from odestudy.measure.fits import LEVEL
from odestudy.runtime.store import read_arrays, read_metrics
from odestudy.statistics.estimates import rate_estimate, t_estimate
from odestudy.statistics.region import FEWEST_SEEDS, Region
from odestudy.statistics.tests import mcnemar_p
from odestudy.study.jobs import Job
from odestudy.study.load import Study

Rows = list[dict[str, Any]]
Key = tuple[str, str]  # data set and arm
COMPARED = "odenet_adjoint"  # the arm that the claims compare with all others
# What the claims compare with, and two nets with as many parameters as the ODE's: one block, and one that is applied six times.
CONTROLS = ("resnet6", "resnet1", "tied6")


def mcnemar_pairs(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """The ODE-Net by adjoint against every other arm, on the same test images, a row a seed.

    All seeds share the test images: `images_se_points` is the standard error that other images would add to the mean
    difference, from how each image's difference, averaged over seeds, scatters over images.
    """
    jobs, right = jobs_by_arm(study, question, definition), _right(study, question, definition)
    rows: Rows = []
    for (dataset, other), theirs in right.items():
        ours = right.get((dataset, COMPARED), {})
        seeds = sorted(set(ours) & set(theirs)) if other != COMPARED else []
        shared = (
            images_error_points([ours[s] for s in seeds], [theirs[s] for s in seeds]) if seeds else np.nan
        )
        for seed in seeds:
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
                    "difference_points": 100 * float(b.mean() - a.mean()),
                    "images_se_points": shared,
                    "epochs": jobs[dataset, COMPARED][0].spec["epochs"],
                    "p": p,
                    "differ": float(p < 1 - LEVEL),
                    "status": "ok",
                    "job": jobs[dataset, other][0].folder,
                }
            )
    return rows


def images_error_points(right_a: list[np.ndarray], right_b: list[np.ndarray]) -> float:
    """Standard error, in points, of a difference of test errors over test images, which all seeds share.

    It also holds a share of what scatters from seed to seed on single images, so that it is too large rather than too small.

    Args:
        right_a, right_b: of each seed, which images each net classified right, (n,) bool.
    """
    by_image = np.mean(
        [b.astype(float) - a.astype(float) for a, b in zip(right_a, right_b, strict=True)], axis=0
    )
    return 100 * float(by_image.std(ddof=1)) / np.sqrt(len(by_image))


def equivalence_pairs(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """Each arm against the residual networks with six blocks, with one, and with six tied ones; the ODE-Net against the perceptron too.

    The difference of the test errors is paired by seed. Equal: its whole 90 % interval, over seeds and over the test
    images that these share, lies within the margin of the claims: two one-sided tests at 5 %. Where the margin is less
    than one test image, none are told equal.
    """
    jobs, right = jobs_by_arm(study, question, definition), _right(study, question, definition)
    runs = {key: [row for job in found for row in runs_of(job, study)] for key, found in jobs.items()}
    margin = study.margins[question]["equal_errors"].at_most
    assert margin is not None, "equal errors have a largest difference"
    rows: Rows = []
    for dataset, arm in runs:
        others = [*CONTROLS, *(["perceptron"] if arm == COMPARED else [])]
        for other in others[: CONTROLS.index(arm)] if arm in CONTROLS else others:
            if (dataset, other) in runs and other != arm:
                found, theirs = runs[dataset, arm], runs[dataset, other]
                row = {"dataset": dataset, "arm": arm, "other": other, "job": jobs[dataset, arm][0].folder}
                sides = right[dataset, arm], right[dataset, other]
                row |= _difference(found, theirs, *sides, margin) | _times_other(found, theirs)
                rows.append(row | _seeds_that_differ(*sides))
    return rows


def jobs_by_arm(study: Study, question: str, definition: dict[str, Any]) -> dict[Key, list[Job]]:
    found: dict[Key, list[Job]] = {}
    for job in study.jobs_of(question, definition["experiments"]):
        found.setdefault((job.spec["dataset"], job.spec["arm"]["name"]), []).append(job)
    return found


def runs_of(job: Job, study: Study) -> Rows:
    return read_metrics(job.metrics(study.results))["rows"]["runs"]


def _right(study: Study, question: str, definition: dict[str, Any]) -> dict[Key, dict[int, np.ndarray]]:
    """For each data set and arm, by seed, which test images were classified right, (n,) bool."""
    right: dict[Key, dict[int, np.ndarray]] = {}
    for key, jobs in jobs_by_arm(study, question, definition).items():
        right[key] = {}
        for job in jobs:
            arrays = read_arrays(job.metrics(study.results))
            for name in arrays:
                if name.startswith("found_seed"):
                    right[key][int(name.removeprefix("found_seed"))] = arrays[name] == arrays["truth"]
    return right


def _difference(
    found: Rows,
    theirs: Rows,
    right: dict[int, np.ndarray],
    their_right: dict[int, np.ndarray],
    margin: float,
) -> dict[str, Any]:
    """Test error minus the other's, paired by seed, and what it says; a run that failed leaves it open."""
    sides = [{row["seed"]: row for row in side} for side in (found, theirs)]
    seeds = sorted(set(sides[0]) & set(sides[1]))
    failed = [row for side in sides for row in side.values() if row["status"] != "ok"]
    if failed:
        return {"seeds": len(seeds), "equal": "open: a run failed", "status": failed[0]["status"]}
    images = found[0]["test_images"]
    more = [sides[0][seed]["test_errors"] - sides[1][seed]["test_errors"] for seed in seeds]
    points = [100 * n / images for n in more]
    row = {
        "seeds": len(seeds),
        "margin_points": margin,
        "difference_points": float(np.mean(points)),
        "status": "ok",
    }
    if len(seeds) < FEWEST_SEEDS:
        return row | {"equal": "open: too few seeds"}
    pairs = [s for s in seeds if s in right and s in their_right]
    shared = images_error_points([right[s] for s in pairs], [their_right[s] for s in pairs])
    estimate = t_estimate(points, Region(-margin, margin), shared=shared)
    row |= {"difference_points_low": estimate.low, "difference_points_high": estimate.high}
    equal = equality(estimate.low, estimate.high, margin)
    if margin < 100 / images and equal in ("equal", "open"):
        equal = "open: an image is more than the margin"
    return row | {"equal": equal}


def equality(low: float, high: float, margin: float) -> str:
    """What the interval of a difference of errors says, in words."""
    if -margin <= low and high <= margin:
        return "equal"
    if low > margin or high < -margin:
        return "worse" if low > 0 else "better"
    return "open"


def _times_other(found: Rows, theirs: Rows) -> dict[str, float]:
    """Parameters and operations as multiples of the other's (medians of the runs that ended well)."""
    row = {}
    for column in ("parameters", "mflop"):
        sides = [[r[column] for r in side if r["status"] == "ok" and column in r] for side in (found, theirs)]
        if all(sides):
            row[f"times_{column}"] = float(np.median(sides[0]) / np.median(sides[1]))
    return row


def _seeds_that_differ(ours: dict[int, np.ndarray], theirs: dict[int, np.ndarray]) -> dict[str, Any]:
    """In how many seeds McNemar's test tells the two apart, as a share with the exact interval."""
    seeds = sorted(set(ours) & set(theirs))
    if not seeds:
        return {}
    apart = sum(mcnemar_p(ours[seed], theirs[seed]) < 1 - LEVEL for seed in seeds)
    share = rate_estimate(apart, len(seeds), Region())
    names = ("apart_pct", "apart_pct_low", "apart_pct_high")
    values = (100 * share.value, 100 * share.low, 100 * share.high)
    return {"apart": f"{apart} of {len(seeds)}", **dict(zip(names, values, strict=True))}
