"""Which maps flows can learn, and generators with a density."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from odestudy.densities.adversary import FlowGenerator, Game, PlainGenerator, play
from odestudy.densities.normal import standard_normal
from odestudy.densities.reach import spheres
from odestudy.densities.targets import target_of
from odestudy.densities.transport import Grid, path, transport
from odestudy.questions.density.modes import modes
from odestudy.questions.density.params import Modes, Reachable
from odestudy.questions.density.reach import reach
from tests.flows import points


def reached(**changes):
    spec = {
        "task": "density_reach.reach", "seeds": [0], "problem": "exchange", "augment": 0, "train_method": "midpoint", "train_steps": 8, "width": 16,
        "iterations": 120, "batch": 32, "learning_rate": 0.02, "gate": 0.01,
    }  # fmt: skip
    return reach(Reachable.model_validate(spec | changes), "cpu").rows["runs"][0]


def test_no_flow_on_the_line_exchanges_two_points():
    assert reached()["refined_mse"] > 0.99


def test_room_beside_lets_them_pass():
    found = reached(augment=1)
    assert found["refined_mse"] < 0.01


def test_a_single_euler_step_crosses_and_fails_the_refinement_gate():
    found = reached(train_method="euler", train_steps=1)
    assert found["mse"] < 1e-3
    assert found["refined_mse"] > 0.9
    assert not found["is_ode"]


def test_nested_spheres_lie_apart_by_half_a_unit():
    x, y = spheres(500, np.random.default_rng(0))
    radius = x.norm(dim=1)
    assert float(radius[y < 0].max()) <= 0.5 + 1e-6
    assert float(radius[y > 0].min()) >= 1.0 - 1e-6


# --- generators


def test_the_flow_as_a_generator_runs_the_density_backwards():
    torch.manual_seed(0)
    flow = FlowGenerator(2, 16, Grid("rk4", 16)).double()
    z = points()
    x = flow(z)
    torch.testing.assert_close(path(flow.net, x, flow.grid)[-1], z, rtol=0, atol=1e-6)
    expected = standard_normal(z) + transport(flow.net, x, flow.grid, "logdet")[1]
    torch.testing.assert_close(flow.log_prob(x), expected, rtol=0, atol=1e-5)


def test_the_mismatch_of_a_generator_and_its_density_shrinks_with_the_step():
    torch.manual_seed(0)
    flow = FlowGenerator(2, 16, Grid("midpoint", 4)).double().requires_grad_(False)
    far = flow.mismatch(points())
    flow.grid = Grid("midpoint", 8)
    assert far / flow.mismatch(points()) == pytest.approx(
        8, rel=0.5
    )  # the leading errors of even order cancel


def played(generator, **changes):
    spec = {
        "task": "density_modes.modes", "seeds": [0], "target": {"kind": "pair", "parameters": {}}, "generator": {"name": generator, **changes},
        "train_method": "midpoint", "train_steps": 2, "train_formula": "trace", "eval_steps": 2, "grid_points": 20,
        "width": 8, "samples": 60, "batch": 16, "iterations": 3, "learning_rate": 0.01, "game_iterations": 2,
        "game_learning_rate": 0.01, "likelihood": 0.1,
    }  # fmt: skip
    return modes(Modes.model_validate(spec), "cpu").rows["runs"][0]


def test_flows_show_the_certificate_of_their_density_and_a_plain_generator_has_none():
    for name in ("cnf_gan", "flow_gan", "likelihood"):
        row = played(name)
        assert {"nll_nat", "mass", "gap_nat", "certified", "modes_covered_pct"} <= set(row)
    assert {"nll_nat", "certified", "mismatch"}.isdisjoint(played("gan"))


def test_a_generator_with_a_factor_trains_so_many_times_as_long():
    assert played("gan", game_factor=5)["iterations"] == 5 * played("cnf_gan")["iterations"] == 10


def test_the_plain_generator_has_the_flows_parameters_but_for_time():
    plain, flow = PlainGenerator(2, 16), FlowGenerator(2, 16, Grid("rk4", 2))
    trained = sum(p.numel() for p in plain.parameters() if p.requires_grad)
    assert sum(p.numel() for p in flow.parameters()) - trained == 16


def test_a_game_moves_the_generator_towards_the_target():
    target = target_of("pair", separation=0.0, sigma=0.3)
    for likelihood in (0.0, 0.1):
        torch.manual_seed(0)
        generator = FlowGenerator(2, 16, Grid("midpoint", 2))
        z = points(500).float()
        before = float(generator(z).std().detach())
        play(generator, target, Game(150, 64, 0.005, likelihood), 0)
        assert abs(float(generator(z).std().detach()) - 0.3) < abs(before - 0.3)
