"""Checks of a density that was fitted to points: their law is not known, so held-out points stand for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from odestudy.densities.certificate import (
    GAP_LIMIT_NAT,
    INTEGRAL_MARGIN,
    MASS_ERROR_LIMIT,
    sliced_wasserstein,
)  # fmt: skip
from odestudy.densities.effort import effort
from odestudy.densities.folds import FoldWatch
from odestudy.densities.mass import importance_mass
from odestudy.densities.models.estimates import SklearnDensity
from odestudy.densities.models.flow import own_certificate
from odestudy.densities.transport import transport
from odestudy.points.fit import FittedPoints
from odestudy.points.grid import box
from odestudy.runtime.outcome import NumericalFailure

COMPONENTS = (1, 2, 4, 8, 16)  # of the mixture that the flow is held against, chosen on validation points
LEAST_VARIANCE = 1e-4  # added to the mixture's, in standardised coordinates
MOST_TRAIN = 2000  # training points whose likelihood is looked at
ROUND_TRIP_LIMIT = 1e-6
WORSE_BY = 2.0  # standard errors by which the flow may fall behind the mixture


@dataclass(frozen=True)
class Check:
    """One line of a certificate: what was found, what is allowed, and whether it holds."""

    name: str
    holds: bool
    found: str
    allowed: str


def certificate(
    fitted: FittedPoints, *, samples: int = 2000, grid_points: int = 120
) -> tuple[dict[str, Any], list[Check]]:
    """Numbers by name, and the checks that make up the certificate.

    `mass` is the integral by importance sampling, from samples of the flow and of a Gaussian mixture fitted to the
    same points; up to the plane `integral` is that over a grid, too. Flow and mixture are compared in the flow's
    standardised coordinates, so that units do not matter.
    """
    density, test = fitted.density, fitted.test
    rng = np.random.default_rng([fitted.settings.seed, 3])
    standard = density.standardised(test)
    mixture = _mixture(density.standardised(fitted.train), density.standardised(fitted.validation))
    numbers: dict[str, Any] = {"n": len(fitted.parts), "d": test.shape[1]}
    numbers |= _likelihoods(fitted, mixture) | own_certificate(density.flow, standard[:256])
    numbers |= _mass(fitted, mixture, samples, rng)
    if test.shape[1] <= 2:
        where, cell = box(torch.cat([fitted.train, test]), grid_points)
        numbers["integral"] = float(density.log_prob(where).exp().sum() * cell)
    watch = FoldWatch()
    transport(density.flow.f, standard[:256], density.flow.grid, watch)
    numbers |= {"folded_pct": 100 * float(watch.folded.double().mean()), "least_det": watch.least_det}
    try:
        numbers |= effort(density.flow.f, standard[:256])
    except (
        NumericalFailure
    ):  # a flow so wild that no adaptive solver follows it: the checks say what is wrong
        numbers["nfe"] = np.nan
    drawn = density.standardised(density.sample(min(samples, 4 * len(test)), rng))
    numbers["sliced_wasserstein"] = sliced_wasserstein(drawn, standard, rng)
    numbers["sliced_wasserstein_of_train"] = sliced_wasserstein(
        density.standardised(fitted.train), standard, rng
    )
    numbers |= {"iterations": fitted.iterations, "best_iteration": fitted.best_iteration}
    return numbers, _checks(numbers)


def _mixture(train: Tensor, held: Tensor) -> SklearnDensity:
    """The Gaussian mixture that likes held-out points best, out of several sizes; points are standardised, (n, d)."""
    from sklearn.mixture import GaussianMixture

    sizes = [k for k in COMPONENTS if k * train.shape[1] <= len(train) // 5] or [1]
    tried = (GaussianMixture(k, random_state=0, reg_covar=LEAST_VARIANCE).fit(train.numpy()) for k in sizes)
    return SklearnDensity(max(tried, key=lambda model: model.score(held.numpy())))


def _likelihoods(fitted: FittedPoints, mixture: SklearnDensity) -> dict[str, float]:
    """NLL of train and test points, and by how much that of the mixture is larger, with standard errors."""
    density = fitted.density
    test, train = density.log_prob(fitted.test), density.log_prob(fitted.train[:MOST_TRAIN])
    standard = density.standardised(fitted.test)
    ahead = density.flow.log_prob(standard) - mixture.log_prob(standard)
    return {
        "test_nll_nat": float(-test.mean()),
        "test_nll_error_nat": float(test.std() / len(test) ** 0.5),
        "train_nll_nat": float(-train.mean()),
        "train_nll_error_nat": float(train.std() / len(train) ** 0.5),
        "ahead_of_mixture_nat": float(ahead.mean()),
        "ahead_of_mixture_error_nat": float(ahead.std() / len(ahead) ** 0.5),
        "mixture_components": len(mixture.model.means_),
    }


def _mass(
    fitted: FittedPoints, mixture: SklearnDensity, samples: int, rng: np.random.Generator
) -> dict[str, float]:
    flow = fitted.density.flow
    x = torch.cat([mixture.sample(samples, rng), flow.sample(samples, rng)])
    proposals = torch.stack([mixture.log_prob(x), flow.sampler_log_prob(x)])
    return importance_mass(flow.log_prob(x).reshape(2, -1), proposals.reshape(2, 2, -1))


def _checks(n: dict[str, Any]) -> list[Check]:
    rows = [
        ("trace and log-determinant agree", n["gap_nat"] <= GAP_LIMIT_NAT,
         f"{n['gap_nat']:.2g} nat at {n['steps']} RK4 steps", f"at most {GAP_LIMIT_NAT:g} nat"),
        ("it integrates to one, by importance sampling",
         abs(n["mass"] - 1) <= INTEGRAL_MARGIN + 2 * n["mass_error"] and n["mass_error"] <= MASS_ERROR_LIMIT,
         f"{n['mass']:.4f}, standard error {n['mass_error']:.1g}",
         f"1 within {INTEGRAL_MARGIN:g} and two standard errors, which are at most {MASS_ERROR_LIMIT:g} each"),
        ("a round trip returns", n["round_trip"] <= ROUND_TRIP_LIMIT, f"{n['round_trip']:.1g}",
         f"at most {ROUND_TRIP_LIMIT:g} standard deviations"),
        ("no step folds", n["folded_pct"] == 0, f"{n['folded_pct']:.3g} % of points", "none"),
        ("no worse than a Gaussian mixture on test points",
         n["ahead_of_mixture_nat"] >= -WORSE_BY * n["ahead_of_mixture_error_nat"],
         f"{n['ahead_of_mixture_nat']:+.3f} nat, standard error {n['ahead_of_mixture_error_nat']:.2g}",
         f"not behind by more than {WORSE_BY:g} standard errors"),
    ]  # fmt: skip
    if "integral" in n:
        held = abs(n["integral"] - 1) <= INTEGRAL_MARGIN
        rows.insert(2, ("it integrates to one, on a grid", held, f"{n['integral']:.4f}", f"1 within {INTEGRAL_MARGIN:g}"))  # fmt: skip
    return [Check(name, bool(holds), found, allowed) for name, holds, found, allowed in rows]
