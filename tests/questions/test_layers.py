"""Layers that see several earlier ones, and the order of what is computed."""

from __future__ import annotations

import itertools

import pytest
import torch

from odestudy.ode import METHODS
from odestudy.ode._adams import adams_weights
from odestudy.questions.gradients import order, work
from odestudy.questions.gradients.bits import differing
from odestudy.questions.gradients.identities import _layers, _orders
from odestudy.questions.gradients.layers import ADAMS_BASHFORTH, concatenated, dense_weights, windowed
from odestudy.questions.gradients.methods import takes_fixed_steps
from odestudy.questions.gradients.params import Work
from odestudy.questions.gradients.problems import exponential


@pytest.mark.parametrize("k", ADAMS_BASHFORTH)
def test_the_tables_weights_are_the_integrals_that_the_solver_takes(k):
    assert [w for _, w in adams_weights(tuple(range(0, -k, -1)))] == pytest.approx(
        [float(b) for b in ADAMS_BASHFORTH[k]]
    )


@pytest.mark.parametrize("k", [1, 4, 5, 6])
def test_layers_with_these_weights_are_the_solvers_method_bit_for_bit(k):
    window, dense = _layers(k, 10, 0)
    assert window["differing"] == 0
    assert dense["largest_difference"] < 1e-13


def test_other_weights_are_told_apart_by_their_bits_and_by_their_order():
    f, start = torch.tanh, [torch.tensor([0.1]), torch.tensor([0.2])]
    one, other = (windowed(f, start, weights, 0.1, 3) for weights in ([1.5, -0.5], [1.5, -0.5 + 1e-6]))
    assert differing(torch.stack(one), torch.stack(other)) > 0
    rows = _orders(3, 6, 0, 3)
    assert {(r["weights"], r["draw"]) for r in rows} == {
        ("adams", 0),
        *itertools.product(("sum_one", "free"), range(3)),
    }
    assert len({r["order"] for r in rows if r["weights"] == "free"}) == 3
    order = {row["weights"]: row["order"] for row in rows if row["draw"] == 0}
    assert order["adams"] == pytest.approx(3, abs=0.2)
    assert order["sum_one"] == pytest.approx(1, abs=0.3)
    assert order["free"] == pytest.approx(0, abs=0.2)


def test_a_dense_net_needs_partial_sums_and_one_for_all_older_features():
    weights = ADAMS_BASHFORTH[3]
    last = dense_weights(weights, 6)[-1][::-1]
    assert last == pytest.approx([23 / 12, 7 / 12, 1, 1, 1, 1])
    start = [torch.tensor([v], dtype=torch.float64) for v in (0.1, 0.2, 0.3)]
    window = windowed(torch.tanh, start, [float(b) for b in weights], 0.1, 8)
    torch.testing.assert_close(
        concatenated(torch.tanh, start, weights, 0.1, 8), window, rtol=1e-14, atol=1e-14
    )


def rows_of_order(p):
    return [{"step": 2.0**-k, "error": 2.0 ** (-k * p)} for k in range(2, 8)]


def test_a_wrong_order_is_seen():
    right, wrong = (order._fit(rows_of_order(p), 4) for p in (4, 3))
    assert right["order_gap"] == pytest.approx(0, abs=1e-9)
    assert wrong["order_gap"] == pytest.approx(-1, abs=1e-9)
    assert order._fit(rows_of_order(4)[:2], 4)["status"] == "non_finite"


def test_points_in_rounding_and_points_that_diverge_are_no_part_of_a_fit():
    rows = [
        {"step": 8.0, "error": 10.0},
        *rows_of_order(2),
        {"step": 1e-9, "error": 1e-15},
        {"step": 1e-10, "status": "x"},
    ]
    assert order._fit(rows, 2)["order"] == pytest.approx(2)


def test_every_method_of_the_library_is_measured_with_fixed_steps_or_adaptive():
    problem = {"kind": "exponential", "parameters": {"horizon": 1.0}}
    params = Work(
        task="gradients_order.work", seeds=[0], problem=problem, tolerances=[1e-3], numbers_of_steps=[32]
    )
    for method in METHODS:
        if method != "scipy_solver":
            assert work._settings(method, exponential(1.0), params) or takes_fixed_steps(method)


def test_work_at_a_level_lies_between_the_settings_that_enclose_it():
    rows = [
        {"method": "m", "kind": "fixed", "error": e, "nfe": n, "wall_s": n / 10}
        for e, n in ((1e-4, 100), (1e-6, 10_000))
    ]
    (row,) = work._equal(rows, 1e-5)
    assert (row["level_nfe"], row["level_wall_s"]) == pytest.approx((1000, 100))
    assert work._equal(rows, 1e-9)[0]["level_nfe"] is None


# --- cost and batches
