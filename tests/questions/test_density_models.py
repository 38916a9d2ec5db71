"""Certificates and fitted densities."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from odestudy.densities.certificate import certify, compare_samples, holds, sliced_wasserstein
from odestudy.densities.effort import effort
from odestudy.densities.fields import LinearField
from odestudy.densities.mass import importance_mass
from odestudy.densities.models import MODELS
from odestudy.densities.models.budget import equal_time, flow_parameters
from odestudy.densities.models.estimates import _within
from odestudy.densities.models.flow import FlowDensity, at_certified_step, own_certificate
from odestudy.densities.normal import standard_normal
from odestudy.densities.pictures import pictures
from odestudy.densities.planar import PlanarFlow
from odestudy.densities.plane import integral, lattice
from odestudy.densities.settings import ModelSettings
from odestudy.densities.targets import target_of
from odestudy.densities.training import Course
from odestudy.densities.transport import Grid
from odestudy.questions.density.fit import in_time
from odestudy.questions.density.params import InTime
from odestudy.runtime.outcome import NumericalFailure
from tests.flows import net, points


class Shifted:
    """The target itself, its samples moved or its log-density shifted."""

    def __init__(self, target, nat=0.0, move=0.0):
        self.target, self.nat, self.move = target, nat, move

    def log_prob(self, x):
        return self.target.log_prob(x - self.move) + self.nat

    def sampler_log_prob(self, x):
        return self.target.log_prob(x - self.move)

    def sample(self, n, rng):
        return self.target.sample(n, rng) + self.move


def certificate(model, target):
    return certify(model, target, samples=2000, grid_points=150, seed=0)


def test_the_certificate_holds_for_the_truth():
    target = target_of("ring")
    found = certificate(Shifted(target), target)
    assert holds(found)
    assert found["excess_nat"] == 0
    assert found["modes_covered_pct"] == 100
    assert found["off_support_pct"] < 0.5


def test_the_certificate_catches_a_density_that_is_not_normalised():
    target = target_of("ring")
    for nat in (0.05, -0.05):
        assert not holds(certificate(Shifted(target, nat=nat), target))


def test_the_certificate_catches_a_gap_between_the_formulas():
    target = target_of("ring")
    found = certificate(Shifted(target), target)
    assert not holds(found | {"gap_nat": 0.02})


def test_the_certificate_measures_a_wrong_density_that_is_one():
    target = target_of("ring")
    found = certificate(Shifted(target, move=0.3), target)
    assert found["integral"] == pytest.approx(1, abs=0.01)
    assert found["excess_nat"] > 0.3
    assert found["off_support_pct"] > 1


def test_a_planar_flow_of_many_layers_starts_near_the_identity():
    torch.manual_seed(0)
    x = points()
    torch.testing.assert_close(PlanarFlow(2, 900).double().log_prob(x), standard_normal(x), rtol=0, atol=1.0)


def test_a_model_that_drops_modes_is_seen():
    target = target_of("ring")
    half = Shifted(target)
    half.sample = lambda n, rng: (x := target.sample(2 * n, rng))[x[:, 1] > 0.3]
    assert certificate(half, target)["modes_covered_pct"] == pytest.approx(37.5)


def test_a_stray_sample_reaches_a_mode_and_does_not_cover_it():
    target = target_of("ring")
    x = target.sample(1000, np.random.default_rng(0))
    drawn = torch.cat([target.modes[:1].expand(988, 2), target.modes[1:4], torch.zeros(9, 2, dtype=x.dtype)])
    found = compare_samples(drawn, x, target, np.random.default_rng(0))
    assert found["modes_covered_pct"] == 12.5
    assert found["modes_reached_pct"] == 50
    assert found["high_quality_pct"] == pytest.approx(99.1)


def test_the_sliced_wasserstein_distance_of_a_shift_is_its_mean_projection():
    x = points(4000)
    found = sliced_wasserstein(x + torch.tensor([1.0, 0.0]), x, np.random.default_rng(0))
    assert found == pytest.approx(2 / math.pi, abs=0.08)


def test_the_planar_flow_is_invertible_and_its_density_is_that_of_its_map():
    torch.manual_seed(0)
    flow = PlanarFlow(2, 4).double().requires_grad_(False)
    where, cell, _ = lattice(target_of("ring", radius=4.0), 300)
    assert integral(flow.log_prob(where).exp(), cell) == pytest.approx(1.0, abs=0.02)
    x = flow.sample(4000)
    inside = flow.log_prob(where).exp()
    expected = float((inside * where[:, 0]).sum() * cell)
    assert float(x[:, 0].mean()) == pytest.approx(expected, abs=0.1)


SPEC = {
    "width": 16, "train_method": "midpoint", "train_steps": 2, "train_formula": "trace", "iterations": 20, "batch": 64,
    "learning_rate": 0.02, "eval_steps": 8, "baseline_samples": 500, "baseline_iterations": 20,
    "baseline_learning_rate": 0.01, "planar_layers": 4,
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_every_model_gives_a_density_that_integrates_to_one_and_samples_of_it(name):
    target = target_of("moons")
    found = MODELS[name](target, ModelSettings(**SPEC), 0)
    checks = certify(found.density, target, samples=500, grid_points=80, seed=0)
    assert checks["integral"] == pytest.approx(1.0, abs=0.05)
    assert checks["mass"] == pytest.approx(1.0, abs=0.15)
    assert found.density.sample(10, np.random.default_rng(0)).shape == (10, 2)


@pytest.mark.parametrize("name", ["realnvp", "planar", "kde", "mixture"])
def test_at_equal_parameters_no_model_has_many_more_than_the_flow(name):
    target = target_of("ring")
    flow = flow_parameters(2, SPEC["width"])
    found = MODELS[name](target, ModelSettings(**SPEC), 0)
    assert found.parameters <= 1.15 * flow
    if name != "mixture":  # which chooses how many it takes
        assert found.parameters >= 0.85 * flow


TIMED = SPEC | {
    "task": "density_fit.in_time",
    "target": {"kind": "ring"}, "seeds": [0, 1], "samples": 100, "grid_points": 20, "iterations": 40,
}  # fmt: skip


def timed(*models):
    return InTime.model_validate(TIMED | {"models": list(models)})


def test_at_equal_time_each_model_trains_for_as_long_as_the_flow_did():
    rows = in_time(timed("realnvp", "planar", "kde", "mixture"), "cpu").rows["runs"]
    assert [row["model"] for row in rows] == 2 * ["cnf", "realnvp", "planar", "kde", "mixture"]
    for row in rows:
        assert row["equal_time"] == (0.9 <= row["spent_s"] / row["budget_s"] <= 1.1)
    flow = [row for row in rows if row["model"] == "cnf"]
    assert all(row["spent_s"] == row["budget_s"] and row["iterations"] == 40 for row in flow)
    assert {row["budget_s"] for row in rows} == {row["budget_s"] for row in flow}  # each seed's own
    # A net stops with the iteration that is under way, so it can only be late, by one iteration.
    for row in rows:
        if row["model"] in ("realnvp", "planar"):
            assert row["spent_s"] >= row["budget_s"]
            assert row["iterations"] > 1


def test_without_the_flows_time_nothing_is_trained_for_as_long(monkeypatch):
    def breaks(target, spec, seed):
        raise NumericalFailure("non_finite", "loss is not finite")

    monkeypatch.setitem(MODELS, "cnf", breaks)
    rows = in_time(timed("kde"), "cpu").rows["runs"]
    assert [(row["model"], row["status"]) for row in rows] == 2 * [("cnf", "non_finite")]


def test_a_training_that_took_another_time_is_none_at_equal_time():
    assert equal_time(1.09, 1.0)
    assert equal_time(0.91, 1.0)
    assert not equal_time(1.11, 1.0)
    assert not equal_time(0.89, 1.0)


@pytest.mark.parametrize("power", [1.0, 1.6, 2.5])
def test_growing_scales_fill_the_time_whatever_power_of_the_scale_they_cost(power, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("odestudy.densities.models.estimates.time.process_time", lambda: now[0])
    scales = []

    def tried(scale):
        scales.append(scale)
        now[0] += 0.3 * scale**power
        return scale

    model, taken = _within(tried, 100.0)
    assert model == scales[-1] == max(scales)
    assert taken == pytest.approx(now[0])
    assert equal_time(taken, 100.0)
    assert _within(tried, None)[0] == 1.0


def test_the_learning_rate_of_a_course_falls_with_its_iterations_or_its_time():
    assert Course(200, 0.1).share(50, 9e9) == 0.25
    assert Course(None, 0.1, 8.0).share(5, 2.0) == 0.25
    assert Course(None, 0.1, 8.0).share(5, 9.0) == 1


def test_a_flow_shows_its_gap_round_trip_and_effort():
    flow = FlowDensity(net(), Grid("rk4", 8), 2)
    found = own_certificate(flow, points())
    assert found["round_trip"] < 1e-10
    assert 0 < found["gap_nat"] < 1e-3
    work = effort(LinearField([[0.0, -1.5], [1.5, 0.0]]), points())
    assert work["lipschitz"] == pytest.approx(1.5)
    assert work["nfe"] >= 7


def test_a_flow_is_evaluated_at_a_step_at_which_its_formulas_agree():
    steep = LinearField([[6.0, 2.0], [-1.0, 5.0]]).requires_grad_(False)
    flow = at_certified_step(steep, points(), 2)
    assert flow.grid.steps > 2
    assert own_certificate(flow, points())["gap_nat"] <= 0.01
    assert at_certified_step(net(), points(), 8).grid.steps == 8


def test_a_flow_in_parts_is_the_flow_at_once(monkeypatch):
    flow, x = FlowDensity(net(), Grid("rk4", 4), 2), points(50)
    whole = flow.log_prob(x), flow.sampler_log_prob(x)
    monkeypatch.setattr("odestudy.densities.models.flow.ENTRIES", 7 * 64 * 2)
    torch.testing.assert_close((flow.log_prob(x), flow.sampler_log_prob(x)), whole)


# --- the integral by importance sampling


def normal(scale, d):
    return lambda x: standard_normal(x / scale) - d * math.log(scale)


@pytest.mark.parametrize("d", [2, 16, 64])
def test_the_integral_of_a_density_with_a_known_integral_is_found_within_its_error(d):
    x = torch.stack([points(2000, d), 1.2 * points(2000, d, seed=1)])
    proposals = torch.stack(
        [torch.stack([law(part) for part in x]) for law in (normal(1.0, d), normal(1.2, d))]
    )
    for wanted in (1.0, 1.3):
        log_p = torch.stack([normal(1.0, d)(part) for part in x]) + math.log(wanted)
        found = importance_mass(log_p, proposals)
        assert abs(found["mass"] - wanted) < 4 * found["mass_error"]
        assert found["mass_error"] < 0.02
        assert 0 < found["effective_pct"] <= 100


def test_the_importance_weights_see_mass_that_the_sampler_never_reaches():
    target = target_of("pair", separation=20.0)
    half = Shifted(target)
    half.sample = lambda n, rng: (x := target.sample(3 * n, rng))[x[:, 0] > 0][:n]
    half.sampler_log_prob = lambda x: torch.where(x[:, 0] > 0, target.log_prob(x) + math.log(2), -math.inf)
    half.log_prob = lambda x: target.log_prob(x) + math.log(1.5)  # integrates to 1.5
    assert certificate(half, target)["mass"] == pytest.approx(1.5, abs=0.1)


def test_a_certificate_needs_an_integral_that_is_known_well_enough():
    found = certificate(Shifted(target_of("ring")), target_of("ring"))
    assert not holds(found | {"mass_error": 0.05})
    assert not holds(found | {"mass": 1.05})
    heavy = target_of("student", nu=1.5)
    assert holds(certificate(Shifted(heavy), heavy))  # its tails reach beyond every grid


# --- pictures


@pytest.mark.parametrize(("kind", "d"), [("ring", 2), ("shells", 3)])
def test_pictures_show_the_flow_from_the_base_to_the_data(kind, d):
    flow, target = FlowDensity(net(d), Grid("rk4", 4), d), target_of(kind)
    found = pictures(flow, target, 12)
    assert found["frame_t"][0] == 1
    assert found["frame_t"][-1] == 0
    assert found["drifting"].shape == (17, 1000, d)
    np.testing.assert_allclose(found["drifting"][-1], found["samples"])
    if d == 2:
        np.testing.assert_allclose(found["frames"][-1], found["density"], rtol=1e-5)
    else:
        torch.testing.assert_close(
            torch.from_numpy(found["drifting_log"][-1]), flow.log_prob(torch.from_numpy(found["samples"]).double()).float(),
            rtol=1e-3, atol=1e-3,
        )  # fmt: skip


def test_beyond_space_there_are_no_pictures():
    target = target_of("cluster", d=4)
    assert pictures(FlowDensity(net(4), Grid("rk4", 2), 4), target, 12) == {}
