"""A latent ODE against recurrent nets on a series of sea-surface temperatures."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from odestudy.questions.timeseries.elnino import MONTHS, MONTHS_A_UNIT, elnino
from odestudy.questions.timeseries.fitted import fitted
from odestudy.questions.timeseries.params import Temperatures
from odestudy.questions.timeseries.pictures import pictures
from odestudy.questions.timeseries.scores import rmse
from odestudy.questions.timeseries.series import stack
from odestudy.runtime.outcome import Outcome


def temperatures(params: Temperatures, device: str) -> Outcome:
    """Train one arm on two-year windows of sea-surface temperatures with random gaps, and judge it on later years.

    Rows `runs`, one a seed, with the error of the mean of each calendar month beside it. Arrays: the first seed's.
    """
    dtype = getattr(torch, params.dtype)
    parts = {
        part: [elnino(part, params.observed, np.random.default_rng([s, i])) for s in params.seeds]
        for i, part in enumerate(("train", "test"))
    }
    data, test = (stack([p[0] for p in parts[part]], device, dtype) for part in ("train", "test"))
    model, rows = fitted(params, data, test, (MONTHS - 1) / MONTHS_A_UNIT, device)
    for row, (series, inner, outer) in zip(rows, parts["test"], strict=True):
        row |= {
            "climate_interpolation_rmse": _rmse_of(inner, series.inner),
            "climate_extrapolation_rmse": _rmse_of(outer, series.outer),
        }
    return Outcome({"runs": rows}, pictures(model, test))


def _rmse_of(found: np.ndarray, truth: Tensor) -> float:
    return rmse(torch.from_numpy(found)[None], truth[None])[0]
