"""The verdicts, and how a row of the ledger came by its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odestudy.statistics.estimates import Estimate

SUPPORTED, REFUTED, INCONCLUSIVE = "supported", "refuted", "inconclusive"
ANSWERED, OPEN, PLANNED = "answered", "open", "planned"
NOT_TESTABLE, NO_DATA = "not testable at this tier", "no data"
VERDICTS = (SUPPORTED, REFUTED, INCONCLUSIVE, ANSWERED, OPEN, PLANNED, NOT_TESTABLE, NO_DATA)
JUDGED = (SUPPORTED, REFUTED, INCONCLUSIVE, ANSWERED, OPEN)  # on all the data that the tier plans for it

# Why a verdict is not what the interval alone says: the code that the ledger holds -> what it means.
REASONS = {
    "": "",
    "no_experiment": "its question has no experiment yet",
    "question_left_out": "question left out",
    "needs_seeds": "this tier decides deterministic claims only",
    "runs_left_out": "this tier leaves out the runs that it needs",
    "rows_left_out": "this tier has no rows with {detail}",
    "runs_missing": "the runs that it needs are missing",
    "few_seeds": "{seeds} seeds, of which no outcome could be {detail}",
    "fewer_seeds": "{seeds} of {detail} seeds",
    "seeds_missing": "unfinished: {detail} of its seeds have not run",
    "seeds_lost": "{detail} seeds have no row, as a run of theirs failed",
    "failed": "{failed} of {runs} runs failed",
    "failed_runs": "{failed} of {runs} runs failed, {detail} fulfil it",
    "failed_seeds": "{failed} of {runs} runs failed; {detail} seeds fulfil it",
    "no_estimate": "{detail}",
    "rule_changed": "its rule was changed after these data were made; fresh seeds must judge it",
    "still_learning": "still learning: with {detail}",
    "not_provided": "it tells nothing yet: {detail}",
    "over_budget": "over its budget: four of five studies would show the smallest effect that matters with {detail} seeds",
    "coarse": "the interval is wider than the resolution of {detail}",
    "experiment_planned": "a fair experiment is planned",
    "rows_differ": "{detail}",
}


@dataclass(frozen=True)
class Finding:
    """One row of the ledger.

    Attributes:
        reason: a key of REASONS; detail: what stands in its sentence beside the counts.
        seeds_needed: at which the interval would clear the nearest bound; NaN where that does not apply.
        rule_changed: whether its data were made when another rule was to judge them.
        beside: the numbers of its baselines and limits, in their order; NaN where one is not there.
    """

    verdict: str
    estimate: Estimate | None = None
    seeds: int = 0
    runs: int = 0
    failed: int = 0
    seeds_needed: float = np.nan
    reason: str = ""
    detail: str = ""
    stale: bool = False
    rule_changed: bool = False
    beside: tuple[float, ...] = ()

    @property
    def why(self) -> str:
        """The reason as a sentence."""
        return REASONS[self.reason].format(**vars(self))
