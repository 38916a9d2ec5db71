"""Gradients through solvers: that the measures are right, and that they see what is wrong."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from odestudy.learning.attempt import attempt
from odestudy.ode import solve
from odestudy.questions.gradients import gradient, products
from odestudy.questions.gradients.arms import ARMS
from odestudy.questions.gradients.bits import differing
from odestudy.questions.gradients.families import member, stiffness_of
from odestudy.questions.gradients.gradient import (
    Gradient,
    cosine,
    counted,
    gradient_of,
    missing,
    relative,
    solver_of,
)
from odestudy.questions.gradients.identities import _blocks
from odestudy.questions.gradients.oracle import difference_error, oracle
from odestudy.questions.gradients.params import Problem, Thresholds
from odestudy.questions.gradients.problems import KINDS, linear, mlp, moved, problem_of, vanderpol
from odestudy.questions.gradients.products import carried, dot_product_mismatch, push_forward
from odestudy.questions.gradients.reversal import (
    adaptive_theory,
    fixed_step_theory,
    round_trip_error,
    stability_function,
)
from odestudy.questions.gradients.thresholds import thresholds


def problem(kind="mlp"):
    return {
        "mlp": lambda: mlp(4, 1.0),
        "linear": lambda: linear(-1.0, 2.0),
        "vdp": lambda: vanderpol(1.0, 1.0),
    }[kind]()


def entry(kind, **parameters):
    return TypeAdapter(Problem).validate_python({"kind": kind, "parameters": parameters})


# --- bits and blocks


def test_one_flipped_bit_is_seen():
    x = torch.tensor([1.0, -2.0, 0.0])
    y = x.clone()
    y[1] = torch.nextafter(y[1], torch.tensor(0.0))
    assert (differing(x, x.clone()), differing(x, y), differing(x, x * torch.tensor([1.0, 1.0, -1.0]))) == (
        0,
        1,
        1,
    )
    with pytest.raises(ValueError, match="float32 against"):
        differing(x, x.double())


def test_blocks_are_euler_steps_of_one_and_nothing_else_is():
    rows = _blocks("float32", 0)
    plain = [r for r in rows if r["net"] != "after_addition" and r["step"] == 1]
    assert {r["differing"] for r in plain} == {0}
    assert {r["depth"] for r in plain} == {1, 6}
    for wrong in ([r for r in rows if r["step"] == 0.5], [r for r in rows if r["net"] == "after_addition"]):
        assert all(r["differing"] > r["elements"] / 2 for r in wrong)


# --- oracles and arms


@pytest.mark.parametrize("kind", ["linear", "mlp", "vdp"])
def test_central_differences_confirm_the_oracle_and_refuse_a_wrong_one(kind):
    truth = oracle(problem(kind))
    assert difference_error(problem(kind), truth) < 1e-8
    wrong = replace(truth, parameters=truth.parameters * 1.001)
    assert difference_error(problem(kind), wrong) > 1e-5


def test_the_closed_form_is_that_of_forward_sensitivities():
    exact = oracle(linear(-1.0, 2.0))
    by_forward = oracle(replace(linear(-1.0, 2.0), exact=None))
    assert relative(by_forward.parameters, exact.parameters) < 1e-10
    assert relative(by_forward.y0, exact.y0) < 1e-10


@pytest.mark.parametrize("arm", [a for a in ARMS if not missing(a)])
def test_every_arm_that_is_here_converges_to_the_oracle(arm):
    one = problem("mlp")
    truth, tight = oracle(one), 1e-8
    errors = [
        relative(gradient_of(one, solver_of(arm, rtol=r, atol=r / 100)).parameters, truth.parameters)
        for r in (1e-3, tight)
    ]
    assert errors[1] < 100 * tight
    assert errors[1] < errors[0]


def test_the_adjoint_is_of_no_use_where_the_state_decays_fast_and_back_propagation_is():
    stiff = linear(-50.0, 1.0)
    truth = oracle(stiff)
    by = {arm: gradient_of(stiff, solver_of(arm)) for arm in ("backprop", "adjoint")}
    assert cosine(by["backprop"].parameters, truth.parameters) > 0.999
    assert cosine(by["adjoint"].parameters, truth.parameters) < 0.9
    assert relative(by["adjoint"].y0, truth.y0) < 1e-3


def test_the_reversible_arm_takes_the_steps_that_it_is_given():
    nfe = [
        gradient_of(problem("mlp"), solver_of("reversible", method="euler", step=1 / n)).nfe for n in (8, 16)
    ]
    assert nfe[1] > 1.8 * nfe[0]
    assert solver_of("reversible", rtol=1e-3).method == "reversible_dopri5"


def test_distance_and_angle_are_those_of_the_textbook_and_bear_any_size():
    x, y = torch.tensor([3.0, 4.0]), torch.tensor([3.0, -4.0])
    assert relative(x, 2 * y) == pytest.approx(153**0.5 / 10)
    assert cosine(x, y) == pytest.approx(-7 / 25)
    assert cosine(x.double() * 1e200, y.double() * 1e-200) == pytest.approx(-7 / 25)


def test_an_arm_that_is_not_installed_is_named_and_an_unknown_one_refused(monkeypatch):
    monkeypatch.setattr(gradient, "find_spec", lambda name: None)
    assert missing("torchode_backprop") == "torchode is not installed"
    assert missing("backprop") == ""
    with pytest.raises(ValueError, match="backprop"):
        missing("backpropp")


def test_work_counts_products_where_they_are_taken():
    assert counted(10, 0, "backprop")["work"] == 20
    assert counted(10, 12, "adjoint")["work"] == 34
    assert "work" not in counted(10, 0, "forward")


def test_a_numerical_failure_is_a_row_and_a_bug_is_raised():
    run_away = attempt(
        lambda: {"error": gradient_of(vanderpol(2.0, 6.0), solver_of("adjoint", rtol=1e-4)).nfe}
    )
    assert run_away["status"] != "ok"
    with pytest.raises(ZeroDivisionError):
        attempt(lambda: {"error": 1 / 0})


@pytest.mark.parametrize("kind", KINDS)
def test_problems_are_in_double_precision(kind):
    parameters = {
        "linear": {"eigenvalue": -1.0}, "mlp": {"width": 3}, "vanderpol": {"mu": 1.0}, "conv": {"channels": 2, "size": 3},
        "prothero": {"rate": -5.0},
    }  # fmt: skip
    one = problem_of(entry(kind, horizon=1.0, **parameters.get(kind, {})))
    assert one.f(torch.zeros((), dtype=torch.float64), one.y0).dtype == torch.float64
    assert one.cotangent().norm() == pytest.approx(1.0)
    assert moved(one, "cpu", "float32").y0.dtype == torch.float32


# --- forth and back


def test_the_stability_function_is_the_truncated_exponential():
    z = -0.3
    for method, order in (("euler", 1), ("midpoint", 2), ("rk4", 4)):
        assert stability_function(method, z) == pytest.approx(
            sum(z**k / math.factorial(k) for k in range(order + 1))
        )


@pytest.mark.parametrize("product", [-10.0, -2.0, 5.0])
@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_the_round_trip_with_fixed_steps_is_what_theory_says(method, product):
    measured = round_trip_error(linear(product, 1.0), solver_of("backprop", method=method, step=1 / 50))
    assert measured == pytest.approx(fixed_step_theory(method, 50, product, 1.0, 2.0**-53), rel=0.05)


def test_a_tolerance_amplified_bounds_the_adaptive_round_trip_on_the_decaying_side():
    for product in (-10.0, -20.0):
        measured = round_trip_error(linear(product, 1.0), solver_of("backprop", rtol=1e-6, atol=1e-8))
        assert 1e-3 < measured / adaptive_theory(1e-6, product, 2.0**-53) < 1


# --- where a gradient is lost


@pytest.mark.parametrize("family", ["decaying", "net"])
def test_the_contraction_is_the_fast_rate_times_the_horizon_and_below_the_lipschitz_bound(family):
    found = stiffness_of(member(family, 20.0, 3))
    assert found.contraction == pytest.approx(20.0, abs=0.5)
    assert found.lipschitz >= found.contraction - 1e-6


def test_a_growing_mode_contracts_by_its_slow_one_alone():
    assert stiffness_of(member("growing", 20.0, 3)).contraction == pytest.approx(0.1, abs=1e-3)


def test_a_family_is_drawn_by_its_seed_alone():
    one, same, other = (member("net", 5.0, seed) for seed in (1, 1, 2))
    assert torch.equal(one.y0, same.y0)
    assert all(torch.equal(p, q) for p, q in zip(one.parameters(), same.parameters(), strict=True))
    assert not torch.equal(one.y0, other.y0)


def test_the_adjoint_is_lost_within_a_few_of_the_predicted_contraction_and_back_propagation_is_not():
    params = Thresholds(
        task="gradients_error.thresholds", seeds=[0], family="decaying", arms=["backprop", "adjoint"], precisions=["float64"],
        gradient_rtols=[1e-3], values=[5.0, 10.0, 20.0],
    )  # fmt: skip
    rows = {row["arm"]: row for row in thresholds(params, "cpu").rows["runs"]}
    assert rows["backprop"]["threshold"] is None
    assert rows["backprop"]["tried_to"] == pytest.approx(20.0, abs=0.2)
    assert rows["adjoint"]["predicted"] == pytest.approx(math.log(1e3))
    assert 0 < rows["adjoint"]["beyond_predicted"] < 8
    assert rows["adjoint"]["monotone"]


# --- products with the Jacobian


def test_the_push_forward_is_the_derivative_by_differences():
    one, solver = problem("mlp"), solver_of("backprop", method="rk4", step=0.1)
    u = torch.ones_like(one.y0)
    zero = [torch.zeros_like(p) for p in one.parameters()]
    ends = [gradient_free(one, one.y0 + e * u) for e in (1e-5, -1e-5)]
    torch.testing.assert_close(
        push_forward(one, solver, u, zero), (ends[0] - ends[1]) / 2e-5, rtol=1e-7, atol=1e-9
    )


def gradient_free(one, y0):
    with torch.no_grad():
        return solve(one.f, y0, one.times(), method="rk4", dt0=0.1).ys[-1]


@pytest.mark.parametrize("arm", ["backprop", "checkpointed"])
def test_the_discrete_pair_passes_the_dot_product_test(arm):
    assert dot_product_mismatch(problem("mlp"), arm, 1e-6) < 1e-13


def test_the_dot_product_test_fails_for_the_adjoint_and_for_a_wrong_gradient(monkeypatch):
    assert 1e-13 < dot_product_mismatch(problem("mlp"), "adjoint", 1e-4) < 1e-2
    right = products.gradient_of

    def wrong(*given):
        found = right(*given)
        return Gradient(found.parameters * 1.0001, found.y0, 0, 0)

    monkeypatch.setattr(products, "gradient_of", wrong)
    assert dot_product_mismatch(problem("mlp"), "backprop", 1e-6) > 1e-10


def test_tangent_and_cotangent_keep_their_product_along_the_way():
    found = carried(problem_of(entry("lorenz", horizon=0.5)), 21)
    pairing = (found["tangent"] * found["cotangent"]).sum(1)
    assert np.ptp(pairing) < 1e-12 * abs(pairing[-1])
    assert np.abs((found["tangent"] * found["adjoint"]).sum(1) / pairing - 1).max() < 0.01


# --- layers and orders
