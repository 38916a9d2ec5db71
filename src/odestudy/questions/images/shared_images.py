"""What all seeds share: the test images. Of nets whose answers to single images were not kept, a bound of their error."""

from __future__ import annotations

from typing import Any

import numpy as np

from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study

Rows = list[dict[str, Any]]
TEST_IMAGES = {"digits": 360, "mnist": 10_000, "fashion": 10_000}  # of each data set; fixed by its split


def nets_with_images_error(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """The nets that were trained with each solver, each with `images_se_points`, the same for all seeds of a solver.

    Of the difference of two solvers' errors the two add in squares, as if their nets erred on images of their own. Nets err
    largely on the same images, so that the interval is too wide rather than too narrow.
    """
    found: dict[tuple[str, str], Rows] = {}
    for job in study.jobs_of(question, definition["experiments"]):
        axes = {"dataset": job.spec["dataset"], "solver": job.spec["solver"]["name"], "job": job.folder}
        axes |= {"arm": job.spec["arm"]["name"]}
        for row in read_metrics(job.metrics(study.results))["rows"]["nets"]:
            found.setdefault((axes["dataset"], axes["solver"]), []).append(axes | row)
    rows: Rows = []
    for (dataset, _), nets in found.items():
        errors = [net["test_error_pct"] for net in nets if net["status"] == "ok"]
        shared = {"images_se_points": binomial_error_points(errors, TEST_IMAGES[dataset])} if errors else {}
        rows += [net | shared for net in nets]
    return rows


def binomial_error_points(errors_pct: list[float], images: int) -> float:
    """Standard error over test images of one solver's mean test error, in points: 100 sqrt(p (1 - p) / n).

    It is that of a single net of the mean error p. Averaging over seeds makes it no smaller where all seeds' nets err on the
    same images, which is the worst case and the one that is taken.

    Args:
        errors_pct: one a seed, in per cent; images: n, how many they were measured on.
    """
    p = float(np.mean(errors_pct)) / 100
    return float(100 * np.sqrt(p * (1 - p) / images))
