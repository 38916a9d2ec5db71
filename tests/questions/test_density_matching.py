"""Flow matching, digits as a density, how often the flow is the nearest, and the radius of heavy tails."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import integrate

from odestudy.densities.certificate import compare_samples
from odestudy.densities.digits import LEVELS, SCALE, D, Digits, bits_per_dim
from odestudy.densities.matching import optimal, velocity_error
from odestudy.densities.targets import target_of
from odestudy.densities.training import Course, match
from odestudy.questions.density.nearest import _beside_best
from tests.flows import net, points


def test_the_velocity_that_is_fitted_is_that_of_a_straight_way_from_data_to_base():
    x, seen = points(6).float(), {}

    def field(t, z):
        seen.update(t=t, z=z)
        return torch.zeros_like(z)

    torch.manual_seed(3)
    error = velocity_error(field, x, "independent")
    torch.manual_seed(3)
    z = torch.randn_like(x)
    torch.testing.assert_close(error, (z - x).square().sum(1))
    torch.testing.assert_close(seen["z"], (1 - seen["t"]) * x + seen["t"] * z)
    assert ((seen["t"] >= 0) & (seen["t"] < 1)).all()


def test_the_optimal_coupling_is_a_permutation_of_no_larger_cost():
    x, z = points(40), points(40, seed=1)
    found = optimal(x, z)
    assert sorted(found.tolist()) == sorted(z.tolist())
    assert (found - x).square().sum() < 0.9 * (z - x).square().sum()


def test_the_loss_of_flow_matching_falls():
    target, field, rng = target_of("pair", separation=8.0), net(2).float(), np.random.default_rng(0)
    for parameter in field.parameters():
        parameter.requires_grad_(True)
    x = target.sample(500, np.random.default_rng(1)).float()

    def loss():
        torch.manual_seed(5)
        return float(velocity_error(field, x, "independent").detach().mean())

    before = loss()
    match(field, lambda n: target.sample(n, rng), "independent", 64, Course(100, 0.01), 0)
    assert loss() < 0.9 * before


def test_digits_are_dequantised_within_their_level():
    x = Digits().test(np.random.default_rng(0))
    level = (x / SCALE + 0.5) * LEVELS
    again = (Digits().test(np.random.default_rng(1)) / SCALE + 0.5) * LEVELS
    assert x.shape == (360, D)
    assert not torch.equal(x, again)
    torch.testing.assert_close(level.floor(), again.floor())
    assert set(level.floor().unique().tolist()) <= set(range(LEVELS))
    assert float((level - level.floor()).mean()) == pytest.approx(0.5, abs=0.01)


def test_a_uniform_density_takes_the_bits_of_its_levels():
    log_prob = torch.full((3,), -D * math.log(SCALE), dtype=torch.float64)
    assert bits_per_dim(log_prob) == pytest.approx(math.log2(LEVELS))


def test_the_nearest_is_told_among_models_of_the_same_time():
    def run(model, excess, spent=1.0):
        return {"seed": 0, "model": model, "excess_nat": excess, "spent_s": spent, "budget_s": 1.0}

    flow = run("cnf", 0.2)
    late = run("realnvp", 0.1, spent=1.2)
    assert _beside_best([flow, run("kde", 0.4), late])[0]["ratio"] == pytest.approx(0.5)
    assert _beside_best([flow, run("kde", 0.4), run("mixture", 0.1)])[0]["ratio"] == pytest.approx(2.0)
    assert _beside_best([flow, run("kde", 0.4), run("matching", 0.1)])[0]["ratio"] == pytest.approx(0.5)
    failed = {"seed": 0, "model": "cnf", "spent_s": 1.0, "budget_s": 1.0}
    assert _beside_best([failed, run("kde", 0.4)])[0]["ratio"] is None


@pytest.mark.parametrize("nu", [2.0, 3.0, 10.0])
def test_the_radius_of_heavy_tails_is_that_of_the_closed_form(nu):
    """In the plane P(|x| > r) = (1 + r^2 / nu)^(-nu / 2)."""
    target = target_of("student", nu=nu)
    closed = math.sqrt(nu * (0.01 ** (-2 / nu) - 1))
    assert target.radius(0.99) == pytest.approx(closed)
    outside = integrate.quad(
        lambda r: 2 * math.pi * r * float(target.log_prob(torch.tensor([[r, 0.0]], dtype=torch.float64)).exp()),
        closed, np.inf,
    )[0]  # fmt: skip
    assert outside == pytest.approx(0.01, rel=1e-3)
    x = target.sample(2000, np.random.default_rng(0))
    ring = closed * x / x.norm(dim=1, keepdim=True)
    assert compare_samples(2 * ring, x, target, np.random.default_rng(1))["tail_ratio"] == pytest.approx(2.0)
