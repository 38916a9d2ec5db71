"""Targets: samples have the density that is stated."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from odestudy.densities.plane import integral, lattice
from odestudy.densities.targets import KINDS, target_of

SPACE = {"shells": 3, "trefoil": 3}
PLANE = [kind for kind in KINDS if kind not in SPACE]


@pytest.mark.parametrize("kind", [k for k in PLANE if k != "student"])
def test_the_density_of_every_target_integrates_to_one_on_the_lattice(kind):
    target = target_of(kind)
    where, cell, _ = lattice(target, 400)
    assert integral(target.log_prob(where).exp(), cell) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("kind", PLANE)
def test_samples_have_the_density_that_the_target_states(kind):
    target = target_of(kind)
    x = target.sample(20_000, np.random.default_rng(0))
    where, _, extent = lattice(target, 200)
    density = target.log_prob(where).exp()
    right = density[where[:, 0] > 0].sum() / density.sum()
    inside = x[(x.abs() < float(extent)).all(1)]
    assert float((inside[:, 0] > 0).double().mean()) == pytest.approx(float(right), abs=0.02)
    assert torch.isfinite(target.log_prob(x)).all()


def test_an_unknown_target_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="ring, lattice"):
        target_of("rung")


@pytest.mark.parametrize("kind", SPACE)
def test_the_density_of_a_target_in_space_integrates_to_one(kind):
    target = target_of(kind)
    half = 1.1 * float(target.sample(4000, np.random.default_rng(0)).abs().max())
    ticks = (torch.arange(60, dtype=torch.float64) + 0.5) * (2 * half / 60) - half
    total = target.log_prob(torch.cartesian_prod(ticks, ticks, ticks)).exp().sum() * (2 * half / 60) ** 3
    assert target.d == SPACE[kind]
    assert float(total) == pytest.approx(1.0, abs=0.01)


def test_shells_lie_around_their_radii():
    x = target_of("shells", radii=(0.9, 2.0), sigma=0.01)
    radius = x.sample(2000, np.random.default_rng(0)).norm(dim=1)
    assert float(torch.minimum((radius - 0.9).abs(), (radius - 2.0).abs()).max()) < 0.06


@pytest.mark.parametrize("d", [2, 3, 16, 64])
def test_a_mode_keeps_the_same_share_of_its_samples_in_any_dimension(d):
    target = target_of("cluster", d=d, modes=1)
    distance = (target.sample(20_000, np.random.default_rng(0)) - target.modes[0]).norm(dim=1)
    assert float((distance <= target.mode_radius).double().mean()) == pytest.approx(
        1 - np.exp(-4.5), abs=0.004
    )
    if d == 2:
        assert target.mode_radius == pytest.approx(3 * target.sigma)
