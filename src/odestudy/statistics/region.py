"""What a rule accepts of an estimate, and how sure a verdict has to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

ALPHA = 0.05  # of a one-sided test; equality is two of them (Schuirmann 1987)
RULE_LEVEL = 1 - 2 * ALPHA  # of the interval that such tests read
SHOWN_LEVEL = 0.95  # of an interval that decides nothing
FEWEST_SEEDS = 5


@dataclass(frozen=True)
class Region:
    """The accepted region of an estimate; an open end is infinite."""

    low: float = -np.inf
    high: float = np.inf

    @property
    def judges(self) -> bool:
        """Whether anything lies outside."""
        return bool(np.isfinite(self.low) or np.isfinite(self.high))

    @property
    def level(self) -> float:
        """Of the interval that is shown: the one that decides, where anything is decided."""
        return RULE_LEVEL if self.judges else SHOWN_LEVEL

    def log(self) -> Region:
        """The region of the logarithm; a bound that no positive number reaches is an open or an empty end."""
        with np.errstate(divide="ignore"):
            return Region(float(np.log(max(self.low, 0.0))), float(np.log(max(self.high, 0.0))))


def region_of(claim: Mapping[str, Any]) -> Region:
    """The region of a row of the ledger; the whole line where it has no rule."""
    rule = claim.get("rule", {})
    return Region(rule.get("low", -np.inf), rule.get("high", np.inf))
