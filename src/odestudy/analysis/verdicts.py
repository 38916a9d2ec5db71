"""The verdicts, and what is known of a claim before and after Holm's correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from odestudy.analysis.stats import Estimate, Region

SUPPORTED, REFUTED, INCONCLUSIVE, ANSWERED = "supported", "refuted", "inconclusive", "answered"
NOT_TESTABLE, NO_DATA = "not testable at this tier", "no data"
VERDICTS = (SUPPORTED, REFUTED, INCONCLUSIVE, ANSWERED, NOT_TESTABLE, NO_DATA)

# Why a verdict is not what the interval alone says: the code that the ledger holds -> what it means.
REASONS = {
    "": "",
    "no_experiment": "its question has no experiment yet",
    "question_left_out": "question left out",
    "needs_seeds": "this tier decides deterministic claims only",
    "runs_left_out": "this tier leaves out the runs that it needs",
    "rows_left_out": "this tier has no rows with {detail}",
    "runs_missing": "the runs that it needs are missing",
    "few_seeds": "{seeds} of {detail} seeds",
    "seeds_missing": "{detail} seeds have no row",
    "failed": "{failed} of {runs} runs failed",
    "failed_runs": "{failed} of {runs} runs failed, {detail} fulfil it",
    "failed_seeds": "{failed} of {runs} runs failed; {detail} seeds fulfil it",
    "no_estimate": "{detail}",
    "holm": "{detail} alone (p = {p:.2g}), not after Holm's correction (p = {p_holm:.2g})",
}


@dataclass(frozen=True)
class Finding:
    """One row of the ledger before and after Holm's correction.

    Attributes:
        reason: a key of REASONS; detail: what stands in its sentence beside the counts.
        tests: how many rows Holm's correction counts.
        seeds_needed: at which the interval would clear the nearest bound; NaN where that does not apply.
    """

    verdict: str
    estimate: Estimate | None = None
    seeds: int = 0
    runs: int = 0
    failed: int = 0
    p: float = np.nan
    p_holm: float = np.nan
    tests: int = 1
    seeds_needed: float = np.nan
    reason: str = ""
    detail: str = ""
    stale: bool = False

    @property
    def why(self) -> str:
        """The reason as a sentence."""
        return REASONS[self.reason].format(**vars(self))


def region_of(claim: dict[str, Any]) -> Region:
    rule = claim.get("rule", {})
    return Region(rule.get("low", -np.inf), rule.get("high", np.inf))
