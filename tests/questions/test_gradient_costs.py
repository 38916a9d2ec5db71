"""What a gradient costs: fits, crossovers, batches with one step or many."""

from __future__ import annotations

import pytest
import torch

from odestudy.measure.operations import operations_of
from odestudy.questions.gradients import compare, cost, gradient, modes
from odestudy.questions.gradients.batching import BATCHINGS, Oscillators, batch, draw
from odestudy.questions.gradients.params import Batch, Cost, Modes
from odestudy.questions.gradients.problems import mlp

COST = Cost(
    task="gradients_cost.cost", seeds=[0], arm="adjoint", step_counts=[1, 2, 4, 8], observations=[2], width=8, batch=16,
    repeats=1,
)  # fmt: skip


def batches(**changes):
    given = {"samples": 16, "fast": [1], "tolerances": [1e-4]} | changes
    return Batch(task="gradients_batch.batch", seeds=[0], **given)


def test_memory_grows_with_the_steps_by_back_propagation_and_with_the_observations_by_the_adjoint():
    def saved(arm, steps, times):
        return cost._cost(arm, steps, times, COST, "cpu")["saved_mib"]

    assert saved("backprop", 32, 2) > 1.8 * saved("backprop", 16, 2)
    assert saved("adjoint", 32, 2) == saved("adjoint", 4, 2)
    assert saved("adjoint", 32, 32) == pytest.approx(16 * saved("adjoint", 32, 2))


def test_the_crossover_has_to_last():
    times = {7: (1, 2), 22: (3, 2), 82: (2, 3), 322: (9, 3)}
    rows = [
        {"arm": arm, "parameters": p, "wall_s": t}
        for p, pair in times.items()
        for arm, t in zip(("forward", "backprop"), pair, strict=True)
    ]
    found = modes._crossover(rows)
    assert (found["crossing"], found["crossover_by_wall_s"]) == ("in the range", 322)


@pytest.mark.parametrize(
    ("forward_s", "backprop_s", "crossing"), [(1, 2, "above 22"), (2, 1, "below 7"), (1, 1, "above 22")]
)
def test_a_crossover_outside_of_what_was_measured_is_no_number(forward_s, backprop_s, crossing):
    times = {"forward": forward_s, "backprop": backprop_s}
    rows = [{"arm": a, "parameters": p, "wall_s": t} for p in (7, 22) for a, t in times.items()]
    found = modes._crossover(rows)
    assert (found["crossing"], found["crossover_by_wall_s"]) == (crossing, None)


def test_a_step_for_each_sample_is_as_if_each_were_alone_and_a_shared_one_is_not():
    ways = ["shared", "own_steps", "alone"]
    rows = batch(batches(batchings=ways, fast_frequency=10.0, horizon=3.0), "cpu").rows["runs"]
    by = {row["batching"]: row for row in rows}
    assert set(by) == set(ways)
    for column in ("nfe_fast", "nfe_slow"):
        assert by["own_steps"][column] == pytest.approx(by["alone"][column], rel=0.02)
    assert by["own_steps"]["error_fast"] == pytest.approx(by["alone"]["error_fast"], rel=0.01)
    assert by["shared"]["error_fast"] > 2 * by["own_steps"]["error_fast"]
    assert by["shared"]["nfe_slow"] > 2 * by["own_steps"]["nfe_slow"]


def test_torchode_solves_the_same_batch_with_all_samples_in_every_evaluation():
    pytest.importorskip("torchode")
    f = Oscillators(torch.tensor([5.0, 1.0, 1.0], dtype=torch.float64))
    y0 = torch.eye(3, 2, dtype=torch.float64) + 1
    (own, _, _), (ends, nfe, calls) = (BATCHINGS[b](f, y0, 2.0, 1e-8) for b in ("alone", "torchode"))
    torch.testing.assert_close(ends, own, rtol=1e-5, atol=1e-5)
    assert nfe.tolist() == [calls] * 3


def test_a_peer_that_is_not_installed_is_left_out_of_the_batches(monkeypatch):
    monkeypatch.setattr(gradient, "find_spec", lambda library: None)
    params = batches(samples=4, batchings=list(BATCHINGS), fast_frequency=2.0, horizon=0.5, tolerances=[1e-2])
    found = [row["batching"] for row in batch(params, "cpu").rows["runs"]]
    assert found == [b for b in BATCHINGS if b != "torchode"]


def test_a_gradient_with_adaptive_steps_tells_what_it_keeps():
    small = mlp(4, 1.0)
    saved = {
        arm: compare._compared(small, arm, 1e-4, 1, "cpu")["saved_mib"] for arm in ("backprop", "adjoint")
    }
    assert saved["backprop"] > 10 * saved["adjoint"] > 0


def test_the_oscillators_for_some_samples_are_those_samples():
    f = Oscillators(torch.tensor([1.0, 2.0, 3.0]))
    y = torch.randn(3, 2)
    index = torch.tensor([2, 0])
    torch.testing.assert_close(f.for_samples(index)(torch.zeros(()), y[index]), f(torch.zeros(()), y)[index])


def test_a_law_of_time_is_fitted_without_noisy_timings_where_four_others_remain():
    rows = [{"varied": "steps", "n": n, "wall_s": 1e-3 * n**2, "noisy": False} for n in (1, 2, 4, 8, 16)]
    rows[2] |= {"wall_s": 9.0, "noisy": True}
    found = cost._fit(rows, "steps", "wall_s")
    assert not found["noisy"]
    assert found["exponent"] == pytest.approx(2, abs=1e-3)
    rows[3]["noisy"] = True
    found = cost._fit(rows, "steps", "wall_s")
    assert found["noisy"]
    assert found["exponent"] != pytest.approx(2, abs=0.1)


def test_operations_are_those_of_the_matrix_products_under_functorch_and_backwards_too():
    x, w = torch.randn(3, 4), torch.randn(4, 5, requires_grad=True)
    assert operations_of(lambda: x @ w) == 2 * 3 * 4 * 5
    assert operations_of(lambda: (x @ w).sum().backward()) == 2 * 2 * 3 * 4 * 5
    assert operations_of(lambda: torch.func.vmap(lambda row: row @ w)(x)) == 2 * 3 * 4 * 5


def test_the_operations_of_forward_mode_grow_with_the_square_of_the_parameters_and_of_reverse_mode_in_proportion():
    params = Modes(
        task="gradients_cost.modes", seeds=[0], arms=["forward", "backprop"], d=4, widths=[8, 32], mode_steps=1, repeats=1,
    )  # fmt: skip
    rows = modes.modes(params, "cpu").rows["runs"]
    by = {arm: [row["operations"] for row in rows if row["arm"] == arm] for arm in ("forward", "backprop")}
    assert by["backprop"][1] == pytest.approx(4 * by["backprop"][0], rel=0.01)
    assert by["forward"][1] > 10 * by["forward"][0]


def test_batches_differ_by_their_seed_and_the_fast_samples_are_fast():
    one, same, other = (draw(batches(batchings=["shared"]), seed, 1) for seed in (0, 0, 1))
    assert torch.equal(one[0], same[0])
    assert not torch.equal(one[0], other[0])
    assert one[0][0] >= 10.0 > 1.5 >= one[0][1:].max()
