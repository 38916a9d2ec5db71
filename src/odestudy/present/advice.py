"""What would change a verdict: in words, and in seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from odestudy.measure.fits import LEVEL
from odestudy.present.stats import Estimate, Region
from odestudy.present.verdicts import ANSWERED, INCONCLUSIVE, REFUTED, SUPPORTED, Finding, region_of

MOST_SEEDS = 10_000


def what_would_flip(finding: Finding, claim: dict[str, Any]) -> str:
    """What data would change the verdict, in one sentence."""
    found, unit = finding.estimate, claim.get("estimand", {}).get("unit", "")
    region = str(region_of(claim))
    tail = f" {unit}" if unit and unit != "1" else ""
    if finding.verdict == SUPPORTED and found:
        return f"an interval that leaves the accepted region, {region}{tail}"
    if finding.verdict == REFUTED and found:
        return f"an interval that reaches the accepted region, {region}{tail}"
    if finding.verdict == INCONCLUSIVE:
        if finding.failed:
            return f"runs that end ok ({finding.why})"
        seeds = seeds_needed(finding, claim)
        more = (
            "more seeds"
            if np.isnan(seeds)
            else f"{max(seeds, finding.seeds + 1):.0f} seeds at this mean and spread,"
        )
        why = finding.why or f"the interval crosses the edge of what is accepted, {region}{tail}"
        return f"{more} or less spread; {why}"
    if finding.verdict == ANSWERED:
        return "nothing; it is a question, and the numbers are the answer"
    return f"data ({finding.why})"


def seeds_needed(finding: Finding, claim: dict[str, Any]) -> float:
    """Seeds at which the interval would clear the nearest bound, if mean and spread stay as they are.

    NaN where that does not apply: a verdict that is decided, an estimate without an interval over seeds, failed
    runs, or more than 10,000 seeds. Holm's correction, which needs more, is not counted in.
    """
    found, estimand = finding.estimate, claim.get("estimand", {})
    if (
        finding.verdict != INCONCLUSIVE
        or found is None
        or found.n < 2
        or not found.low < found.value < found.high
    ):
        return np.nan
    if estimand["statistic"] == "rate":
        return np.nan
    log = estimand["statistic"] == "ratio" or (
        estimand["statistic"] == "mean" and estimand.get("scale") == "log"
    )
    return _seeds_to_clear(found, region_of(claim), log)


def _seeds_to_clear(found: Estimate, region: Region, log: bool) -> float:
    ends = np.array([found.value, found.high, region.low, region.high])
    with np.errstate(divide="ignore", invalid="ignore"):
        value, high, *bounds = np.log(np.maximum(ends, 0.0)) if log else ends
    distance = min(abs(value - bound) for bound in bounds)
    deviation = (high - value) * np.sqrt(found.n) / _t(found.n)
    for n in range(2, MOST_SEEDS + 1):
        if _t(n) * deviation / np.sqrt(n) < distance:
            return float(n)
    return np.nan


def _t(n: int) -> float:
    return float(special.stdtrit(n - 1, (1 + LEVEL) / 2))
