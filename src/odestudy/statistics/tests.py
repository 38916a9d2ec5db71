"""Tests of pairs and of several rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def mcnemar_p(right_a: np.ndarray, right_b: np.ndarray) -> float:
    """Exact two-sided p of McNemar's test on paired outcomes, (n,) bool each (McNemar 1947)."""
    from statsmodels.stats.contingency_tables import mcnemar

    table = [[np.sum(a & b) for b in (right_b, ~right_b)] for a in (right_a, ~right_a)]
    return float(mcnemar(table, exact=True).pvalue)


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's step-down adjusted p values (Holm 1979); NaN stays NaN and does not count."""
    from statsmodels.stats.multitest import multipletests

    adjusted = np.asarray(p_values, dtype=float).copy()
    known = ~np.isnan(adjusted)
    if known.any():
        adjusted[known] = multipletests(adjusted[known], method="holm")[1]
    return adjusted
