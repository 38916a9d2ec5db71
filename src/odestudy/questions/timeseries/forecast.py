"""A latent ODE against recurrent nets on spirals (claim C28)."""

from __future__ import annotations

import numpy as np
import torch

from odestudy.questions.timeseries.fitted import fitted, seed_rows
from odestudy.questions.timeseries.homotopy import paths, smoothness
from odestudy.questions.timeseries.latent import Latent
from odestudy.questions.timeseries.params import Forecast
from odestudy.questions.timeseries.pictures import latent_pictures, pictures
from odestudy.questions.timeseries.series import Series, stack
from odestudy.questions.timeseries.spirals import KINDS, spirals
from odestudy.runtime.outcome import Outcome


def forecast(params: Forecast, device: str) -> Outcome:
    """Train one arm on spirals, all seeds at once, and judge it on fresh ones.

    Rows: `runs`, one a seed; `homotopy`, one a seed of an arm with a latent space. Arrays: the first seed's.
    """
    dtype, window = getattr(torch, params.dtype), KINDS[params.kind].window

    def drawn(count: int, purpose: int) -> Series:
        law = (params.spacing, params.observed, params.noise)
        sets = [spirals(params.kind, count, *law, np.random.default_rng([s, purpose])) for s in params.seeds]
        return stack(sets, device, dtype)

    test = drawn(params.test_size, 1)
    model, rows = fitted(params, drawn(params.train_size, 0), test, window, device)
    arrays = pictures(model, test)
    outcome = {"runs": rows}
    if isinstance(model, Latent):
        path = paths(model, test, params.pairs, window)
        arrays |= latent_pictures(model, test, path, window)
        outcome["homotopy"] = seed_rows(params.seeds, smoothness(path))
    return Outcome(outcome, arrays)
