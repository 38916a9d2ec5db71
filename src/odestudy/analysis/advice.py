"""What would change a verdict: in words, and in seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from odestudy.analysis.values import chosen, number
from odestudy.analysis.verdicts import INCONCLUSIVE, REFUTED, SUPPORTED, Finding
from odestudy.statistics.estimates import RANGE, STUDENT, Estimate
from odestudy.statistics.region import Region, region_of

# Why a row is open -> what would settle it.
WHAT_IS_OPEN = {
    "still_learning": "a longer training",
    "coarse": "more seeds, or less spread",
    "rule_changed": "fresh seeds",
    "over_budget": "more seeds",
    "seeds_missing": "the runs that are missing",
}


def accepted(region: Region) -> str:
    """A region in words: at least 0.9, between -0.15 and 0.15."""
    if np.isinf(region.low):
        return f"at most {chosen(region.high)}"
    if np.isinf(region.high):
        return f"at least {chosen(region.low)}"
    return f"between {chosen(region.low)} and {chosen(region.high)}"


def what_would_change(finding: Finding, claim: dict[str, Any]) -> str:
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
        return f"an estimate that is not {accepted(region)}{tail}; {_room(found, region)}"
    if finding.verdict == REFUTED and found:
        return f"an estimate {accepted(region)}{tail}; {_room(found, region)}"
    if finding.verdict == REFUTED:
        return f"runs that end ok and lie {accepted(region)}{tail} ({finding.why})"
    if finding.verdict == INCONCLUSIVE:
        if finding.failed:
            return f"runs that end ok ({finding.why})"
        seeds = finding.seeds_needed
        why = finding.why or f"the interval crosses the edge of what is accepted, {accepted(region)}{tail}"
        if not np.isnan(seeds):
            return f"{max(seeds, finding.seeds + 1):.0f} seeds at this mean and spread, or less spread; {why}"
        if found and found.ends == STUDENT:
            return f"another mean or less spread, as no number of seeds decides it at these; {why}"
        return f"more seeds or less spread; {why}"
    return f"{WHAT_IS_OPEN.get(finding.reason, 'data')} ({finding.why})" if finding.why else ""


def _room(found: Estimate, region: Region) -> str:
    """How far the nearest end of the interval is from the nearest bound."""
    pairs = [(end, bound) for end in (found.low, found.high) for bound in (region.low, region.high)]
    finite = [(end, bound) for end, bound in pairs if np.isfinite(bound) and np.isfinite(end)]
    if not finite:  # a threshold that no seed met
        return "there is none up to what was tried"
    near, bound = min(finite, key=lambda pair: abs(pair[0] - pair[1]))
    if found.low == found.high:
        what = "it is"
    else:
        what = "the range ends at" if found.ends == RANGE else "the interval ends at"
    return f"{what} {number(near)}, the bound is {chosen(bound)}"
