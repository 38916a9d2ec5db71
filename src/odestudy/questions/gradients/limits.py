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
KEYS = ["family", "arm", "precision", "rtol"]


def limits(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """One row a family, arm, arithmetic and tolerance: contraction and Lipschitz constant times horizon at the threshold.

    Where more than half of the problems reach none there is no median, and `limit` says up to where none was found: the
    smallest of what was tried, over the problems.
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
        return row | {"limit": f"none up to {tried:.0f}"}
    wide, *_ = _median(runs["lipschitz"].astype(float).fillna(math.inf).tolist())
    top = f"{high:.1f}" if math.isfinite(high) else "no upper end"
    ends = f" [{low:.1f}, {top}]" if not math.isnan(low) else ""
    return row | {
        "threshold": middle, "threshold_high": high if math.isfinite(high) else None, "lipschitz": wide,
        "limit": f"{middle:.1f}{ends}",
    }  # fmt: skip


def _median(values: list[float]) -> tuple[float, float, float]:
    """Median and interval; NaN for the ends where there are too few for one."""
    try:
        found = median_estimate(values, Region())
    except ValueError:
        return float(np.median(values)), math.nan, math.nan
    return found.value, found.low, found.high
