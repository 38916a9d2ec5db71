"""Errors of forecasts against the truth, without noise and with it, one value a seed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from odestudy.questions.timeseries.arms import Model
from odestudy.questions.timeseries.latent import LatentODE
from odestudy.questions.timeseries.recurrent import ODERNN, gaussian_log_prob
from odestudy.questions.timeseries.series import Series
from odestudy.questions.timeseries.training import generators_of

GATE_PCT = 1.0  # the most by which half the step may change the error of what is called an ODE
DRAWS = 16  # samples of the posterior for a likelihood


def rmse(found: Tensor, truth: Tensor) -> list[float]:
    """Root of the mean squared error over series, times and components, for each seed."""
    return (found - truth).square().mean((1, 2, 3)).sqrt().tolist()


def predictive_nll_nat(draws: Tensor, x: Tensor, noise: float) -> list[float]:
    """Mean negative log-likelihood of a point (d values), its density averaged over draws (K, S, N, m, d)."""
    log_p = gaussian_log_prob(x, draws, noise).sum(-1)
    return (math.log(len(draws)) - torch.logsumexp(log_p, 0)).mean((1, 2)).tolist()


@torch.no_grad()
def score(model: Model, test: Series, noise: float, seeds: Sequence[int]) -> dict[str, list[float]]:
    """Interpolation and extrapolation on fresh series: RMSE and NLL, a list over the seeds each.

    `noise_nll_nat` is the NLL of the truth itself, which no forecast can stay below in the mean.
    """
    times = (test.t, test.x, test.inner_t, test.outer_t)
    inner, outer = model.predict(*times)
    draws = model.draws(*times, DRAWS, generators_of(seeds, 3))
    found = {
        "interpolation_rmse": rmse(inner, test.inner),
        "extrapolation_rmse": rmse(outer, test.outer),
        "interpolation_noisy_rmse": rmse(inner, test.inner_noisy),
        "extrapolation_noisy_rmse": rmse(outer, test.outer_noisy),
        "interpolation_nll_nat": predictive_nll_nat(draws[0], test.inner_noisy, noise),
        "extrapolation_nll_nat": predictive_nll_nat(draws[1], test.outer_noisy, noise),
        "noise_nll_nat": predictive_nll_nat(test.inner[None], test.inner_noisy, noise),
    }
    return found | refined(model, times, test, found)


def refined(
    model: Model, times: tuple[Tensor, ...], test: Series, found: dict[str, list[float]]
) -> dict[str, list[float]]:
    """The refinement gate (Ott et al. 2021), {} without an ODE.

    By how many per cent half the step changes the extrapolation's error, and whether that is little enough.
    """
    if not isinstance(model, LatentODE | ODERNN):
        return {}
    model.steps *= 2
    try:
        halved = rmse(model.predict(*times)[1], test.outer)
    finally:
        model.steps //= 2
    pairs = zip(halved, found["extrapolation_rmse"], strict=True)
    change_pct = [100 * abs(new / old - 1) for new, old in pairs]
    return {"refinement_pct": change_pct, "is_ode": [float(pct < GATE_PCT) for pct in change_pct]}
