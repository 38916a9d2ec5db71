"""Trained to the end: a verdict on what a net learns needs a training that was long enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from odestudy.analysis.estimators import is_log
from odestudy.analysis.selecting import is_ok, select
from odestudy.analysis.values import number


def still_learning(claim: dict[str, Any], tables: Mapping[str, pd.DataFrame]) -> str | None:
    """By how much half the training is worse, in words, where that is more than the row's margin; None where it is not.

    The column is an error, of which less is better, or, where the gate says `both_ways`, a number that has to settle.
    Compared are the seeds of which both lengths have a number, each length with a schedule of its own. The margin is a
    share of the error, or a difference: see `is_share`. A row without `trained` has no gate.
    """
    gate = claim.get("trained")
    if gate is None:
        return None
    estimand = claim["estimand"] | {k: gate[k] for k in ("table", "column", "where") if gate.get(k)}
    where, changes = estimand.get("where", {}), gate.get("half", {})
    most = gate.get("most")
    full = _by_seed(tables[estimand["table"]], where, estimand, most)
    half = _by_seed(tables[gate.get("half_table", estimand["table"])], where | changes, estimand, most)
    shorter = ", ".join(f"{name} {value}" for name, value in changes.items()) or "half the training"
    seeds = full.index.intersection(half.index)
    if seeds.empty:
        return f"{shorter} there is no run to compare with"
    full, half = full[seeds], half[seeds]
    apart = np.log(half / full).mean() if is_share(gate, claim) else (half - full).mean()
    if gate.get("both_ways"):
        what, off = "its number is another by", abs(float(apart))
    else:
        what, off = "its error is larger by", float(apart)
    if is_share(gate, claim):
        off = float(np.expm1(off))
        return f"{shorter} {what} {number(100 * off, 2)} %" if not off <= gate["margin"] else None
    return f"{shorter} {what} {number(off, 2)}" if not off <= gate["margin"] else None


def is_share(gate: dict[str, Any], claim: dict[str, Any]) -> bool:
    """Whether the gate's margin is a share of the error, and not a difference.

    It is where the gate says so; where it says nothing, on a log scale and for ratios and thresholds.
    """
    estimand = claim["estimand"]
    told = gate.get("share")
    return (is_log(estimand) or estimand["statistic"] == "threshold") if told is None else bool(told)


def _by_seed(
    table: pd.DataFrame, where: dict[str, Any], estimand: dict[str, Any], most: float | None
) -> pd.Series:
    """Seed -> mean error; none of more than `most`, which one that is no number counts as, too."""
    rows = select(table, where)
    rows = rows[is_ok(rows)]
    if rows.empty:
        return pd.Series(dtype=float)
    errors = rows[estimand["column"]].astype(float)
    errors = errors if most is None else errors.fillna(most).clip(upper=most)
    return errors.groupby(rows["seed"]).mean().dropna()
