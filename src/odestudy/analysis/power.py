"""How many seeds a row of the ledger needs to show the smallest effect that matters, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from odestudy.analysis.estimators import is_log
from odestudy.statistics.power import seeds_for_mean, seeds_for_rate
from odestudy.statistics.region import region_of
from odestudy.study.forecast import Expected
from odestudy.study.load import Study
from odestudy.study.planned import jobs_read, planned_seeds

COLUMNS = ("id", "effect", "bound", "spread", "needed", "planned", "seconds_a_seed", "core_s_more", "says")


def power_table(study: Study, pilot: pd.DataFrame, expected: Mapping[str, Expected]) -> pd.DataFrame:
    """One line a row that has a rule and rests on seeds.

    Args:
        pilot: a ledger whose `spread` is that of a seed's value, of its logarithm where the row is decided on it; a row's own
            `pilot` stands over it.
        expected: job's folder -> what it is expected to cost.

    Returns:
        `needed` seeds for a power of 0.8 where the truth is `effect`, `planned` ones of this tier, core seconds of one
        seed and of those that lack.
    """
    spreads = pilot.set_index("id")["spread"]
    rows = [
        _line(claim, float(spreads.get(claim["id"], np.nan)), study, expected)
        for claim in study.claims
        if "expect" in claim and "rule" in claim and claim["estimand"]["table"] in study.tables
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _line(
    claim: dict[str, Any], spread: float, study: Study, expected: Mapping[str, Expected]
) -> dict[str, Any]:
    spread = claim.get("pilot", spread)
    planned = planned_seeds(claim, study)
    needed = seeds_of(claim, spread, planned)
    seconds = _seconds_a_seed(claim, study, expected)
    bounds = [b for b in (claim["rule"].get("low"), claim["rule"].get("high")) if b is not None]
    line = {
        "id": claim["id"],
        "effect": claim["expect"],
        "bound": " to ".join(f"{b:g}" for b in bounds),
        "spread": spread,
        "needed": needed,
        "planned": planned,
        "seconds_a_seed": seconds,
        "core_s_more": max(0.0, needed - planned) * seconds,
    }
    return line | {"says": _says(planned, needed, spread, "pilot" in claim)}


def seeds_over_budget(claim: dict[str, Any], study: Study) -> float | None:
    """The seeds that a row needs by its pilot, where this tier plans fewer; None where it plans enough, or none tells."""
    if "expect" not in claim or "pilot" not in claim or claim.get("deterministic"):
        return None
    planned = planned_seeds(claim, study)
    needed = seeds_of(claim, claim["pilot"], planned)
    return None if planned >= needed else needed


def seeds_of(claim: dict[str, Any], spread: float, planned: int = 0) -> float:
    """Seeds for a power of 0.8 at the row's effect; NaN where no pilot tells the spread.

    Args:
        planned: of a tier; a share whose steps let these suffice needs no more.
    """
    region = region_of(claim)
    if claim["estimand"]["statistic"] == "rate":
        return seeds_for_rate(region, claim["expect"], planned)
    if np.isnan(spread):
        return np.nan
    if is_log(claim["estimand"]):
        return seeds_for_mean(region.log(), float(np.log(claim["expect"])), spread)
    return seeds_for_mean(region, claim["expect"], spread)


def _seconds_a_seed(claim: dict[str, Any], study: Study, expected: Mapping[str, Expected]) -> float:
    """Core seconds of all jobs that the row reads, for one seed; NaN where one was never recorded."""
    found = [
        (expected[job.folder].seconds, len(job.spec["seeds"])) for job in jobs_read(claim["estimand"], study)
    ]
    return float(np.sum([np.nan if s is None else s / n for s, n in found])) if found else np.nan


def _says(planned: int, needed: float, spread: float, held: bool) -> str:
    if planned == 0:
        return "not run at this tier"
    if np.isnan(needed):
        return "no pilot" if np.isnan(spread) else "out of reach"
    if planned >= needed:
        return "enough"
    return "over budget: open" if held else "too few"
