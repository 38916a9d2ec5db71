"""Arrays of a job for the figures: the first seed's forecasts, and its latent space."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from odestudy.questions.timeseries.arms import Model
from odestudy.questions.timeseries.homotopy import window_times
from odestudy.questions.timeseries.latent import Latent, LatentODE
from odestudy.questions.timeseries.series import Series

SHOWN = 6  # series whose forecasts are kept
PRIOR = 12  # samples of the prior
TRAJECTORIES = 40  # series whose latent trajectories are kept

Arrays = dict[str, np.ndarray]


def _plain(arrays: dict[str, Tensor]) -> Arrays:
    return {name: value.cpu().numpy().astype(np.float32) for name, value in arrays.items()}


@torch.no_grad()
def pictures(model: Model, test: Series) -> Arrays:
    """Observations, truth and forecasts of the first seed's first series."""
    shown = test.first(SHOWN)
    inner, outer = model.predict(shown.t, shown.x, shown.inner_t, shown.outer_t)
    arrays = {
        "t": shown.t, "x": shown.x, "whole_t": shown.whole_t, "whole": shown.whole,
        "inner_t": shown.inner_t, "inner_found": inner, "outer_t": shown.outer_t, "outer_found": outer,
    }  # fmt: skip
    return _plain({name: value[0] for name, value in arrays.items()})


@torch.no_grad()
def latent_pictures(model: Latent, test: Series, path: Tensor, window: float) -> Arrays:
    """The first pair's path, samples of the prior, and latent trajectories, all of the first seed."""
    mean, _ = model.encoder(test.t[:, :TRAJECTORIES], test.x[:, :TRAJECTORIES])
    z = torch.randn(PRIOR, mean.shape[-1], generator=torch.Generator().manual_seed(0)).to(mean)
    z = z.expand(len(mean), -1, -1)
    arrays = {"path": path[0, 0], "prior": model.follow(z, window_times(window, z))[0]}
    if isinstance(model, LatentODE):
        arrays["latent"] = model.trajectory(mean, window_times(window, mean))[0]
    return _plain(arrays)
