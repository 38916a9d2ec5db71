"""What would change a verdict: in words, and in seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from odestudy.analysis.stats import Estimate, Region
from odestudy.analysis.values import chosen, number
from odestudy.analysis.verdicts import ANSWERED, INCONCLUSIVE, REFUTED, SUPPORTED, Finding, region_of
from odestudy.measure.fits import LEVEL

MOST_SEEDS = 10_000


def what_would_flip(finding: Finding, claim: dict[str, Any]) -> str:
    """What data would change the verdict, in one sentence; and what else would, where the claim says so.

    Nothing for a question: the numbers are its answer.
    """
    said = _by_data(finding, claim)
    decided = finding.verdict in (SUPPORTED, REFUTED)
    return f"{said}. {claim['flip'].strip().removesuffix('.')}" if decided and "flip" in claim else said


def _by_data(finding: Finding, claim: dict[str, Any]) -> str:
    found, unit = finding.estimate, claim.get("estimand", {}).get("unit", "")
    region = region_of(claim)
    tail = f" {unit}" if unit and unit != "1" else ""
    if finding.verdict == SUPPORTED and found:
        return f"an estimate that is not {region}{tail}; {_room(found, region)}"
    if finding.verdict == REFUTED and found:
        return f"an estimate {region}{tail}; {_room(found, region)}"
    if finding.verdict == REFUTED:
        return f"runs that end ok and lie {region}{tail} ({finding.why})"
    if finding.verdict == INCONCLUSIVE:
        if finding.failed:
            return f"runs that end ok ({finding.why})"
        seeds = finding.seeds_needed
        more = (
            "more seeds"
            if np.isnan(seeds)
            else f"{max(seeds, finding.seeds + 1):.0f} seeds at this mean and spread (Holm's correction counted in),"
        )
        why = finding.why or f"the interval crosses the edge of what is accepted, {region}{tail}"
        return f"{more} or less spread; {why}"
    if finding.verdict == ANSWERED:
        return ""
    return f"data ({finding.why})"


def _room(found: Estimate, region: Region) -> str:
    """How far the nearest end of the interval is from the nearest bound."""
    pairs = [(end, bound) for end in (found.low, found.high) for bound in (region.low, region.high)]
    near, bound = min(
        ((e, b) for e, b in pairs if np.isfinite(b) and np.isfinite(e)),
        key=lambda pair: abs(pair[0] - pair[1]),
    )
    what = "it is" if found.low == found.high else "the interval ends at"
    return f"{what} {number(near)}, the bound is {chosen(bound)}"


def seeds_needed(finding: Finding, claim: dict[str, Any]) -> float:
    """Seeds at which the interval would clear the nearest bound, if mean and spread stay as they are.

    The interval is that of Holm's correction at its strictest, which is Bonferroni's over the rows that are tested
    together. NaN where that does not apply: a verdict that is decided, an estimate without an interval over seeds,
    failed runs, or more than 10,000 seeds.
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
    return _seeds_to_clear(found, region_of(claim), log, finding.tests)


def _seeds_to_clear(found: Estimate, region: Region, log: bool, tests: int) -> float:
    ends = np.array([found.value, found.high, region.low, region.high])
    with np.errstate(divide="ignore", invalid="ignore"):
        value, high, *bounds = np.log(np.maximum(ends, 0.0)) if log else ends
    distance = min(abs(value - bound) for bound in bounds)
    deviation = (high - value) * np.sqrt(found.n) / _t(found.n)
    for n in range(2, MOST_SEEDS + 1):
        if _t(n, tests) * deviation / np.sqrt(n) < distance:
            return float(n)
    return np.nan


def _t(n: int, tests: int = 1) -> float:
    """Student's quantile of a two-sided interval, at the level's share of one of several tests."""
    return float(special.stdtrit(n - 1, 1 - (1 - LEVEL) / (2 * tests)))
