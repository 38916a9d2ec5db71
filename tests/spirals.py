"""Small sets of noisy spirals."""

from __future__ import annotations

import numpy as np
import torch

from odestudy.timeseries.series import Series, stack
from odestudy.timeseries.spirals import spirals

F64 = torch.float64


def some(
    seeds=(0,), count=6, observed=8, kind="archimedean", spacing="irregular", noise=0.1, dtype=F64
) -> Series:
    sets = [spirals(kind, count, spacing, observed, noise, np.random.default_rng(s), inner=5) for s in seeds]
    return stack(sets, "cpu", dtype)
