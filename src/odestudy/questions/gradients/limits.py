"""Where each gradient is lost: the median threshold over the problems of a family, with its order-statistic interval."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from odestudy.runtime.store import read_metrics
from odestudy.statistics.estimates import median_estimate
from odestudy.statistics.region import Region
from odestudy.study.load import Study

Rows = list[dict[str, Any]]
# Of a gradient, as thresholds.MOST_NFE, which a report cannot import, as it does without the libraries of the solves.
MOST_NFE = 20_000
KEYS = ["family", "arm", "precision", "rtol"]


def limits(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """One row a family, arm, arithmetic and tolerance: contraction and Lipschitz constant times horizon at the threshold.

    Where more than half of the problems reach none there is no median, and `limit` says in how many one was found and up to
    where the others were tried. Not all of a family contract as far as theory's threshold, so some cannot reach one.
    """
    rows: Rows = []
    for job in study.jobs_of(question, definition["experiments"]):
        found = read_metrics(job.metrics(study.results))["rows"]["runs"]
        runs = pd.DataFrame([{"family": job.spec["family"], "lipschitz": None} | row for row in found])
        if "predicted" not in runs:  # the job ended before it came to any
            rows += [{"family": job.spec["family"], "job": job.folder} | row for row in found]
            continue
        for key, mine in runs.groupby(KEYS, sort=False):
            row = dict(zip(KEYS, key, strict=True)) | {"job": job.folder, "status": "ok"}
            rows.append(row | {"seed": mine["seed"].iloc[0]} | _limit(mine))
    return rows


def _limit(runs: pd.DataFrame) -> dict[str, Any]:
    thresholds = runs["threshold"].astype(float).fillna(math.inf).tolist()
    middle, low, high = _median(thresholds)
    tried = float(runs["tried_to"].min())
    row = {
        "predicted": float(runs["predicted"].iloc[0]), "problems": len(runs), "tried_to": tried,
        "monotone_share": float(runs["monotone"].astype(bool).mean()), "threshold_low": low if math.isfinite(low) else None,
    }  # fmt: skip
    if not math.isfinite(middle):
        return row | {"limit": _without_median(thresholds, runs["tried_to"].astype(float))}
    wide, *_ = _median(runs["lipschitz"].astype(float).fillna(math.inf).tolist())
    top = f"{high:.1f}" if math.isfinite(high) else "no upper end"
    ends = f" [{low:.1f}, {top}]" if not math.isnan(low) else ""
    return row | {
        "threshold": middle, "threshold_high": high if math.isfinite(high) else None, "lipschitz": wide,
        "limit": f"{middle:.1f}{ends}",
    }  # fmt: skip


def _without_median(thresholds: list[float], tried_to: pd.Series) -> str:
    """What is known where most problems reach no threshold: of those that do, and up to where the others were tried."""
    reached = [value for value in thresholds if math.isfinite(value)]
    others = [to for to, value in zip(tried_to, thresholds, strict=True) if not math.isfinite(value)]
    tried = f"tried up to {_ends(others, 0)}"
    if not reached:
        return f"none ({tried})"
    return (
        f"{_ends(reached, 1)} in {len(reached)} of {len(thresholds)} problems, none in the others ({tried})"
    )


def _ends(values: list[float], decimals: int) -> str:
    """From the smallest to the largest."""
    return " to ".join(dict.fromkeys(f"{value:.{decimals}f}" for value in (min(values), max(values))))


def _median(values: list[float]) -> tuple[float, float, float]:
    """Median and interval; NaN for the ends where there are too few for one."""
    try:
        found = median_estimate(values, Region())
    except ValueError:
        return float(np.median(values)), math.nan, math.nan
    return found.value, found.low, found.high
