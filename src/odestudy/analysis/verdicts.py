"""The verdicts, and what is known of a claim before and after Holm's correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from odestudy.analysis.stats import Estimate, Region

SUPPORTED, REFUTED, INCONCLUSIVE, ANSWERED = "supported", "refuted", "inconclusive", "answered"
NOT_TESTABLE, NO_DATA = "not testable at this tier", "no data"
VERDICTS = (SUPPORTED, REFUTED, INCONCLUSIVE, ANSWERED, NOT_TESTABLE, NO_DATA)


@dataclass(frozen=True)
class Finding:
    """One row of the ledger before and after Holm's correction."""

    verdict: str
    estimate: Estimate | None = None
    seeds: int = 0
    runs: int = 0
    failed: int = 0
    p: float = np.nan
    p_holm: float = np.nan
    tests: int = 1  # that Holm's correction counts
    why: str = ""
    stale: bool = False


def region_of(claim: dict[str, Any]) -> Region:
    rule = claim.get("rule", {})
    return Region(rule.get("low", -np.inf), rule.get("high", np.inf))
