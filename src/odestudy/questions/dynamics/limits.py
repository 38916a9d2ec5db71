"""The least error that the data allow, beside what was reached."""

from __future__ import annotations

from typing import Any

from odestudy.learning.attempt import attempt
from odestudy.recovery.cramer_rao import field_bound_pct
from odestudy.recovery.learning import observations
from odestudy.runtime.outcome import Row
from odestudy.systems.trajectories import Observed


def beside_bounds(rows: list[Row], spec: dict[str, Any]) -> list[Row]:
    """The rows with the Cramer-Rao bound of their seed and how many times it their field error is, where that is asked."""
    if not spec.get("bound"):
        return rows
    data, seeds, _ = observations(spec)
    bounds = {
        seed: attempt(_bound, one, spec).get("bound_pct") for seed, one in zip(seeds, data, strict=True)
    }
    return [row | _beside(row, bounds.get(row["seed"])) for row in rows]


def _bound(data: Observed, spec: dict[str, Any]) -> Row:
    return {"bound_pct": field_bound_pct(data, spec)}


def _beside(row: Row, bound: float | None) -> Row:
    error = row.get("field_error_pct")
    if bound is None:
        return {}
    return {"bound_pct": bound} | ({"over_bound": error / bound} if error is not None else {})
