"""Densities of flows, against closed forms in float64."""

from __future__ import annotations

import math
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from odestudy.densities.adversary import FlowGenerator, Game, PlainGenerator, play
from odestudy.densities.fields import Field, LinearField
from odestudy.densities.inverse import invert
from odestudy.densities.jacobian import with_estimate, with_jacobian, with_trace
from odestudy.densities.law import closed_form_error, derivative_mismatch, gaussian
from odestudy.densities.normal import standard_normal
from odestudy.densities.reach import spheres
from odestudy.densities.reference import reference
from odestudy.densities.targets import target_of
from odestudy.densities.training import Recipe, fit
from odestudy.densities.transport import FORMULAS, NOISES, Grid, log_density, path, transport
from odestudy.densities.work import counted_flops, lu_flops, step_flops, step_vjps
from odestudy.measure.memory import kept_for_backward_mib
from odestudy.ode import solve
from odestudy.present import derive_density
from odestudy.questions.density_coarse import coarse
from odestudy.questions.density_cost import _at_equal_error, _crossover, isolated
from odestudy.questions.density_gap import _largest, _slopes
from odestudy.questions.density_modes import modes
from odestudy.questions.density_reach import reach
from tests.flows import net, points

GENERIC = [[-0.5, 1.0], [-0.3, 0.9]]
SPECIAL = {"traceless": [[0.6, 0.8], [0.4, -0.6]], "rotation": [[0.0, -1.5], [1.5, 0.0]]}
ORDERS = {"euler": 1, "midpoint": 2, "rk4": 4}


def gap(field, x, method, steps):
    trace, logdet = (transport(field, x, Grid(method, steps), name)[1] for name in ("trace", "logdet"))
    return float((trace - logdet).abs().mean())


# --- the law


@pytest.mark.parametrize("matrix", [GENERIC, *SPECIAL.values()])
def test_a_linear_flow_has_the_gaussian_density_in_closed_form(matrix):
    field = LinearField(matrix).requires_grad_(False)
    truth = reference(field, points())
    assert closed_form_error(field, truth) < 1e-10
    assert float((truth.trace - truth.logdet).abs().max()) < 1e-10


def test_the_closed_form_error_sees_a_wrong_trace():
    field = LinearField(GENERIC).requires_grad_(False)
    truth = reference(field, points())
    wrong = type(truth)(truth.z, truth.trace * 1.01, truth.logdet)
    assert closed_form_error(field, wrong) > 1e-3


def test_the_law_holds_along_the_trajectory_and_not_at_a_fixed_point():
    found = derivative_mismatch(LinearField(GENERIC))
    assert found["total_mismatch_nat"] < 1e-12
    assert found["partial_mismatch_nat"] > 0.1


def test_the_reference_trace_agrees_with_the_variational_equation_on_a_net():
    truth = reference(net(), points())
    assert float((truth.trace - truth.logdet).abs().max()) < 1e-10


def test_the_gaussian_by_covariance_is_that_by_change_of_variables():
    root = torch.tensor([[1.0, 0.3], [-0.2, 0.7]], dtype=torch.float64)
    x = points()
    expected = standard_normal(torch.linalg.solve(root, x.T).T) - torch.linalg.slogdet(root).logabsdet
    torch.testing.assert_close(gaussian(x, root), expected)


# --- trace against log-determinant on one code path


@pytest.mark.parametrize(("method", "order"), ORDERS.items())
def test_the_gap_shrinks_as_the_step_to_the_order(method, order):
    field, x = net(), points()
    gaps = [gap(field, x, method, n) for n in (32, 64, 128)]
    slopes = [math.log2(a / b) for a, b in pairwise(gaps)]
    assert slopes == pytest.approx([order, order], abs=0.15)


@pytest.mark.parametrize("matrix", SPECIAL.values(), ids=SPECIAL)
@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 3), ("rk4", 5)])
def test_traceless_and_rotational_linear_flows_do_better_than_the_order(matrix, method, order):
    field, x = LinearField(matrix).requires_grad_(False), points(4)
    slope = math.log2(gap(field, x, method, 16) / gap(field, x, method, 32))
    assert slope == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("method", ["euler", "midpoint", "rk4", "dopri5"])
def test_the_sum_over_steps_is_the_log_determinant_of_the_composed_map(method):
    field, x, grid = net(), points(5), Grid(method, 4)
    _, gain = transport(field, x, grid, "logdet")
    for i in range(len(x)):
        whole = torch.autograd.functional.jacobian(lambda y: path(field, y[None], grid)[-1, 0], x[i])
        assert float(gain[i]) == pytest.approx(float(torch.linalg.slogdet(whole).logabsdet), abs=1e-12)


@pytest.mark.parametrize("method", ["euler", "rk4", "dopri5"])
def test_all_formulas_carry_the_samples_to_the_same_place(method):
    field, x, grid = net(), points(), Grid(method, 3)
    ends = [transport(field, x, grid, name)[0] for name in FORMULAS]
    for end in ends[1:]:
        torch.testing.assert_close(end, ends[0], rtol=0, atol=1e-14)


def test_the_trace_integral_is_what_solve_computes():
    field, x = net(), points()

    def augmented(t, state):
        value, trace = with_trace(lambda z: field(t, z), state[0])
        return value, trace

    found = solve(augmented, (x, torch.zeros(len(x), dtype=x.dtype)), [0.0, 1.0], method="rk4", dt0=0.25)
    end, gain = transport(field, x, Grid("rk4", 4), "trace")
    torch.testing.assert_close(found.ys[0][-1], end, rtol=0, atol=1e-14)
    torch.testing.assert_close(found.ys[1][-1], gain, rtol=0, atol=1e-14)


def test_an_unknown_formula_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="trace, rademacher1"):
        transport(net(), points(), Grid("euler", 1), "tracee")


def test_gradients_of_the_log_density_agree_with_differences():
    for formula in ("trace", "logdet"):
        field = Field(2, 4).double()
        x = points(3)
        loss = log_density(field, x, Grid("midpoint", 2), formula).sum()
        (found,) = torch.autograd.grad(loss, field.last.bias)
        with torch.no_grad():
            values = []
            for sign in (1, -1):
                field.last.bias[0] += sign * 1e-5
                values.append(float(log_density(field, x, Grid("midpoint", 2), formula).sum()))
                field.last.bias[0] -= sign * 1e-5
        assert float(found[0]) == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-6)


# --- Jacobians and estimates


def test_jacobian_and_trace_of_a_net_are_autograds():
    field, x, t = net(3), points(4, 3), torch.tensor(0.3, dtype=torch.float64)
    _, jacobian = with_jacobian(lambda z: field(t, z), x)
    for i in range(len(x)):
        expected = torch.autograd.functional.jacobian(lambda z: field(t, z[None])[0], x[i])
        torch.testing.assert_close(jacobian[i], expected)
    torch.testing.assert_close(
        with_trace(lambda z: field(t, z), x)[1], jacobian.diagonal(dim1=1, dim2=2).sum(1)
    )


def test_rademacher_probes_over_all_signs_give_the_exact_trace():
    field, x, t = net(3), points(4, 3), torch.tensor(0.3, dtype=torch.float64)
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 3)
    probes = signs[:, None, :].expand(8, 4, 3)
    estimate = with_estimate(lambda z: field(t, z), x, probes)[1]
    torch.testing.assert_close(estimate, with_trace(lambda z: field(t, z), x)[1])


@pytest.mark.parametrize("noise", NOISES)
def test_hutchinsons_estimate_is_unbiased(noise):
    torch.manual_seed(1)
    field, x, t = net(), points(3), torch.tensor(0.3, dtype=torch.float64)
    probes = NOISES[noise](x.expand(20_000, *x.shape))
    values = torch.stack([with_estimate(lambda z: field(t, z), x, p[None])[1] for p in probes[:400]])
    exact = with_trace(lambda z: field(t, z), x)[1]
    error = values.std(0) / math.sqrt(len(values))
    assert float(((values.mean(0) - exact).abs() / error).max()) < 4
    mean = with_estimate(lambda z: field(t, z), x, probes)[1]
    assert float((mean - exact).abs().max()) < 0.1


def test_the_noise_is_fixed_during_a_solve():
    torch.manual_seed(0)
    field = LinearField([[0.0, 1.0], [1.0, 0.0]]).requires_grad_(False)
    _, gain = transport(field, points(64), Grid("euler", 16), "rademacher1")
    assert set(gain.abs().round(decimals=9).tolist()) == {2.0}  # 2 e1 e2 is the same in every step


# --- inverse, training, work


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_the_inverse_is_that_of_the_computed_map(method):
    field, x, grid = net(), points(), Grid(method, 16)
    back, residual = invert(field, path(field, x, grid)[-1], grid)
    torch.testing.assert_close(back, x, rtol=0, atol=1e-11)
    assert float(residual.max()) < 1e-11


def test_training_brings_the_loss_down_and_is_the_same_twice():
    target = target_of({"kind": "moons"})
    recipe = Recipe("trace", Grid("midpoint", 2), 30, 64, 0.02)
    losses = []
    for _ in range(2):
        torch.manual_seed(0)
        losses.append(fit(Field(2, 16), target, recipe, 0).train_loss)
    assert losses[0] == losses[1]
    torch.manual_seed(0)
    assert (
        losses[0] < fit(Field(2, 16), target, Recipe("trace", Grid("midpoint", 2), 3, 64, 1e-6), 0).train_loss
    )


def test_work_is_counted():
    weight, x = torch.randn(3, 5), torch.randn(7, 5)
    assert counted_flops(lambda: x @ weight.T) == 2 * 7 * 5 * 3
    assert lu_flops(2) == 3  # one division, one multiplication, one subtraction
    assert lu_flops(1000) == pytest.approx(2e9 / 3, rel=1e-2)
    assert step_vjps("trace", 5, 4) == step_vjps("logdet", 5, 4) == 20
    assert step_vjps("rademacher10", 5, 4) == 40
    field = net(4)
    both = [step_flops(field, points(3, 4), "rk4", name) for name in ("trace", "logdet")]
    assert both[1] - both[0] == pytest.approx(lu_flops(4))


def test_memory_behind_a_loss_is_counted_without_parameters():
    x, weight = torch.randn(1024, 256), torch.nn.Parameter(torch.randn(256, 256))
    loss = torch.tanh(x @ weight).sum()
    assert kept_for_backward_mib(loss) == pytest.approx(2.0, rel=0.01)  # x and the output of tanh


def test_the_largest_good_step_needs_all_smaller_ones_to_be_good():
    assert _largest([(1.0, True), (0.5, False), (0.25, True), (0.125, True)]) == 0.25
    assert _largest([(0.5, True), (0.25, False)]) is None


def swept(precision, gaps):
    return [
        {"method": "rk4", "precision": precision, "formula": "trace", "step": 2.0**-k, "gap_nat": gap}
        for k, gap in enumerate(gaps)
    ]


def test_the_slope_of_a_gap_is_taken_where_rounding_leaves_it_clear():
    exact = [0.3 * 16.0**-k for k in range(8)]
    (clear,) = _slopes(swept("float64", exact))
    assert clear["slope"] == pytest.approx(4, abs=1e-9)
    assert (clear["slope_points"], clear["smallest_step"], clear["order"]) == (4, 2.0**-7, 4)
    (rounded,) = _slopes(swept("float32", [max(gap, 3e-6) for gap in exact]))
    assert rounded["slope"] == pytest.approx(4, abs=1e-9)
    assert rounded["smallest_step"] == 2.0**-2  # beyond it the gap is under a thousand roundings
    (hidden,) = _slopes(swept("float32", [0.3, 1e-6, 1e-6]))
    assert "slope" not in hidden


def test_at_equal_error_a_formula_that_never_reaches_it_has_no_work():
    rows = [
        {"formula": formula, "step": step, "flops": flops, "error_nat": error}
        for formula, step, flops, error in [
            ("trace", 0.5, 10.0, 0.005), ("trace", 0.25, 20.0, 0.001),
            ("logdet", 0.5, 15.0, 0.02), ("logdet", 0.25, 30.0, 0.002),
            ("rademacher1", 0.5, 1.0, 0.5), ("rademacher1", 0.25, 2.0, 0.5),
        ]
    ]  # fmt: skip
    found = _at_equal_error(rows, 0.01)
    assert found == {
        "work_trace_flops": 10.0, "step_trace": 0.5, "work_logdet_flops": 30.0, "step_logdet": 0.25, "work_ratio": 3.0,
    }  # fmt: skip


def test_cost_at_equal_error_is_that_of_so_many_training_steps(monkeypatch):
    single = [
        {"d": 4, "formula": name, "status": "ok", "wall_s": wall, "saved_mib": saved}
        for name, wall, saved in [("trace", 1.0, 2.0), ("logdet", 3.0, 2.0)]
    ]
    reached = {
        "seed": 0,
        "step_trace": 0.5,
        "work_trace_flops": 10.0,
        "step_logdet": 0.25,
        "work_logdet_flops": 30.0,
    }
    metrics = {"step": {"runs": single}, "d4": {"runs": [], "equal": [reached]}}
    spec = {"d": 4, "method": "rk4", "formulas": ["trace", "logdet", "rademacher1"]}
    jobs = [SimpleNamespace(folder=name, spec=spec, metrics=lambda _, name=name: name) for name in metrics]
    study = SimpleNamespace(jobs_of=lambda question, experiments: jobs, results=None)
    monkeypatch.setattr(derive_density, "read_metrics", lambda name: {"rows": metrics[name]})
    rows = derive_density.density_equal_cost(study, "density", {"experiments": []})
    found = {row["formula"]: row for row in rows}
    assert found["trace"]["ratio_by_wall_s"] == found["trace"]["work_ratio"] == 1
    logdet = found["logdet"]
    assert (logdet["work_ratio"], logdet["ratio_by_wall_s"], logdet["memory_ratio"]) == (3, 6, 2)
    assert found["rademacher1"]["reached_pct"] == 0
    assert "work_ratio" not in found["rademacher1"]


def test_isolated_costs_are_measured_anew_for_every_seed():
    spec = {
        "seeds": [0, 1],
        "dimensions": [2, 4, 8, 16],
        "net": "fixed",
        "width": 8,
        "samples": 2,
        "repeats": 1,
    }
    found = isolated(spec, "cpu").rows
    assert [row["seed"] for row in found["crossovers"]] == [0, 1]
    counts = {(r["seed"], r["d"], r["part"]): r["flops"] for r in found["runs"]}
    assert len(counts) == len(found["runs"]) == 2 * 4 * 4
    assert all(counts[0, d, part] == counts[1, d, part] for _, d, part in counts)


def coarsely_trained(**changes):
    spec = {
        "seeds": [0], "target": {"kind": "gaussian", "parameters": {}}, "formula": "trace", "train_method": "euler", "coarse_steps": [2],
        "iterations": 3, "batch": 32, "learning_rate": 0.01, "width": 8, "samples": 50, "grid_points": 20, "eval_steps": 1,
    }  # fmt: skip
    return coarse(spec | changes, "cpu").rows["runs"][0]


def test_a_coarsely_trained_flow_is_judged_at_a_step_at_which_its_formulas_agree(monkeypatch):
    agreed = coarsely_trained()
    assert agreed["gap_nat"] <= 0.01
    assert agreed["refined_excess_nat"] == pytest.approx(agreed["refined_nll_nat"] - agreed["entropy_nat"])
    monkeypatch.setattr("odestudy.questions.density_coarse.GAP_LIMIT_NAT", 0.0)
    refused = coarsely_trained()
    assert "refined_nll_nat" not in refused
    assert "do not agree" in refused["message"]


def test_a_crossover_has_to_last():
    rows = [
        {"d": d, "part": part, "flops": cost}
        for d, costs in {2: (1, 2), 4: (3, 2), 8: (3, 4), 16: (3, 9)}.items()
        for part, cost in zip(("exact_trace", "elimination"), costs, strict=True)
    ]
    assert _crossover(rows, "flops") == 8
    assert _crossover([r for r in rows if r["d"] <= 4], "flops") is None


# --- maps out of reach


def reached(**changes):
    spec = {
        "seeds": [0], "problem": "exchange", "augment": 0, "train_method": "midpoint", "train_steps": 8, "width": 16,
        "iterations": 120, "batch": 32, "learning_rate": 0.02, "gate": 0.01,
    }  # fmt: skip
    return reach(spec | changes, "cpu").rows["runs"][0]


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
        "seeds": [0], "target": {"kind": "pair", "parameters": {}}, "generator": {"name": generator, **changes},
        "train_method": "midpoint", "train_steps": 2, "train_formula": "trace", "eval_steps": 2, "grid_points": 20,
        "width": 8, "samples": 60, "batch": 16, "iterations": 3, "learning_rate": 0.01, "game_iterations": 2,
        "game_learning_rate": 0.01, "likelihood": 0.1,
    }  # fmt: skip
    return modes(spec, "cpu").rows["runs"][0]


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
    target = target_of({"kind": "pair", "parameters": {"separation": 0.0, "sigma": 0.3}})
    for likelihood in (0.0, 0.1):
        torch.manual_seed(0)
        generator = FlowGenerator(2, 16, Grid("midpoint", 2))
        z = points(500).float()
        before = float(generator(z).std().detach())
        play(generator, target, Game(150, 64, 0.005, likelihood), 0)
        assert abs(float(generator(z).std().detach()) - 0.3) < abs(before - 0.3)
