"""Checks of a reported density: that it integrates to one, is that of the map it claims, and models its target."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from odestudy.densities.laws import Student, Target
from odestudy.densities.mass import importance_mass
from odestudy.densities.plane import integral, lattice

INTEGRAL_MARGIN, GAP_LIMIT_NAT, STANDARD_ERRORS = 0.02, 0.01, 4.0
MASS_ERROR_LIMIT = 0.01  # of a standard error with which the integral has to be known at least
TAIL = 0.99  # probability at which the radius of heavy tails is compared
DUE_SHARE = 0.2  # of a mode's share of samples, to count as covered


class Density(Protocol):
    """A model with a density that can be evaluated and sampled."""

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density at x (n, d) float64, in nat, (n,)."""

    def sampler_log_prob(self, x: Tensor) -> Tensor:
        """Log-density of what `sample` gives, which a flow knows apart from the density that it reports, (n,)."""

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        """Independent samples, (n, d) float64."""


def certify(model: Density, target: Target, *, samples: int, grid_points: int, seed: int) -> dict[str, float]:
    """The part of the certificate that any density can show.

    `excess_nat` is the mean of log p_target - log p_model over fresh samples of the target, which is NLL minus the
    true entropy and cannot be below zero but for sampling; `excess_error_nat` its standard error. `mass` is the
    integral of the density by importance sampling, from samples of the target and of the model itself; in the plane
    `integral` is that over a grid, too, and `grid_mass` what the target itself has on that grid.
    """
    rng = np.random.default_rng([seed, 3])
    x = target.sample(samples, rng)
    log_p = model.log_prob(x)
    excess = target.log_prob(x) - log_p
    found = {
        "excess_nat": float(excess.mean()),
        "excess_error_nat": float(excess.std() / len(x) ** 0.5),
        "nll_nat": float(-log_p.mean()),
    }
    if target.d == 2:
        where, cell, _ = lattice(target, grid_points)
        found["integral"] = integral(model.log_prob(where).exp(), cell)
        found["grid_mass"] = integral(target.log_prob(where).exp(), cell)
    drawn = model.sample(samples, rng)
    both = torch.cat([x, drawn])
    proposals = torch.stack([target.log_prob(both), model.sampler_log_prob(both)])
    log_p = torch.cat([log_p, model.log_prob(drawn)])
    found |= importance_mass(log_p.reshape(2, -1), proposals.reshape(2, 2, -1))
    return found | compare_samples(drawn, x, target, rng)


def compare_samples(drawn: Tensor, x: Tensor, target: Target, rng: np.random.Generator) -> dict[str, float]:
    """Sliced Wasserstein distance, mass off the support, and modes; x are samples of the target.

    Of modes two measures: `modes_covered_pct` are those with a fifth of their due share of samples nearby,
    `modes_reached_pct` those with a sample nearby at all, which with `high_quality_pct`, the samples that are near a
    mode, is what the literature counts (Lin et al. 2018, PacGAN). Of Student's t `tail_ratio`: the radius within which
    99 % of the samples lie over that of the law, a measure that exists where moments and divergence are infinite.
    """
    drawn = drawn[torch.isfinite(drawn).all(1)]
    if len(drawn) == 0:
        raise ValueError("no sample is finite")
    floor = target.log_prob(x).quantile(0.001) - 1e-9
    found = {
        "sliced_wasserstein": sliced_wasserstein(drawn, x, rng),
        "off_support_pct": 100 * float((target.log_prob(drawn) < floor).double().mean()),
    }
    if isinstance(target, Student):
        found["tail_ratio"] = float(drawn.norm(dim=1).quantile(TAIL)) / target.radius(TAIL)
    if target.modes is not None:
        distance = torch.cdist(drawn, target.modes)
        near = distance.min(1)
        good = near.values <= target.mode_radius
        share = torch.bincount(near.indices[good], minlength=len(target.modes)) / len(drawn)
        found["modes_covered_pct"] = 100 * float((share >= DUE_SHARE / len(target.modes)).double().mean())
        found["modes_reached_pct"] = 100 * float((share > 0).double().mean())
        found["high_quality_pct"] = 100 * float(good.double().mean())
    return found


def sliced_wasserstein(a: Tensor, b: Tensor, rng: np.random.Generator, directions: int = 64) -> float:
    """Mean over random directions of the Wasserstein-1 distance of projections, through 512 quantiles."""
    turns = torch.from_numpy(rng.standard_normal((a.shape[1], directions)))
    turns = turns / turns.norm(dim=0)
    levels = (torch.arange(512, dtype=torch.float64) + 0.5) / 512
    ends = [torch.quantile(part @ turns, levels, dim=0) for part in (a, b)]
    return float((ends[0] - ends[1]).abs().mean())


def holds(row: dict[str, float]) -> bool:
    """Whether a certificate holds: integral one, formulas agreeing, and no better than the truth.

    What a row does not have (a gap of a model that is no flow) is not asked. The grid is asked where it resolves the
    target, having its mass: not where tails reach beyond it, or where a target is thinner than its cells.
    """
    resolved = "integral" in row and abs(row["grid_mass"] - 1) <= INTEGRAL_MARGIN
    return (
        (not resolved or abs(row["integral"] - 1) <= INTEGRAL_MARGIN)
        and abs(row["mass"] - 1) <= INTEGRAL_MARGIN + 2 * row["mass_error"]
        and row["mass_error"] <= MASS_ERROR_LIMIT
        and row.get("gap_nat", 0.0) <= GAP_LIMIT_NAT
        and row["excess_nat"] >= -STANDARD_ERRORS * row["excess_error_nat"]
    )
