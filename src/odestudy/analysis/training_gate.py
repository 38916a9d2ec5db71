"""Trained to the end: a verdict on what a net learns needs a training that was long enough."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from odestudy.analysis.estimators import is_log
from odestudy.analysis.selecting import is_ok, select


def still_learning(claim: dict[str, Any], table: pd.DataFrame, estimand: dict[str, Any]) -> str | None:
    """By how much half the training is worse, in words, where that is more than the row's margin; None where it is not.

    The column is an error: smaller is better. Compared are the seeds that both lengths have, each length with a schedule
    of its own; on a log scale, and for ratios, the margin is a share. A row without `trained` has no gate.
    """
    gate = claim.get("trained")
    if gate is None:
        return None
    where = estimand.get("where", {})
    full, half = (_by_seed(table, w, estimand) for w in (where, where | gate["half"]))
    seeds = full.index.intersection(half.index)
    if seeds.empty:
        return "an amount that no run of half the length tells"
    full, half = full[seeds], half[seeds]
    if is_log(estimand):
        worse = float(np.exp(np.log(half / full).mean()) - 1)
        return f"{100 * worse:.2g} %" if not worse <= gate["margin"] else None
    worse = float((half - full).mean())
    return f"{worse:.2g}" if not worse <= gate["margin"] else None


def _by_seed(table: pd.DataFrame, where: dict[str, Any], estimand: dict[str, Any]) -> pd.Series:
    rows = select(table, where)
    rows = rows[is_ok(rows)]
    return rows[estimand["column"]].astype(float).groupby(rows["seed"]).mean()
