"""Shares of outcomes."""

from __future__ import annotations


def wilson(count: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a proportion (Wilson 1927); a job needs it where the present package may not be asked."""
    from scipy import stats

    found = stats.binomtest(count, n).proportion_ci(level, method="wilson")
    return float(found.low), float(found.high)
