"""Unstable, badly conditioned and fast systems."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from odestudy.integrate import Solver, integrate
from odestudy.ode._jacobian import Shifted
from odestudy.questions.dynamics import conditioning, crash, fast_modes, recover
from odestudy.questions.dynamics.crash_changes import changed
from odestudy.questions.dynamics.derived import _shares
from odestudy.questions.dynamics.forecasts import _diverged_pct
from odestudy.questions.dynamics.last_learnt import _last, with_own_time
from odestudy.questions.dynamics.unstable_case import Case, MatrixDynamics, matrix
from odestudy.recovery import reachable_step
from odestudy.recovery.learning import make_model
from odestudy.recovery.units import units_of
from odestudy.systems.trajectories import observe
from tests.recovery import spec, typed


def crash_rows(**changes):
    wanted = {
        "problem": {"name": "rotation", "form": "rotation", "rate": 1.0}, "library": "torchdiffeq", "gradient": "adjoint",
        "method": "dopri5", "rtol": 1e-7, "atol": 1e-9, "max_nfe": 100_000, "points": 4, "offset": 0.05,
        "losses": ["mean_square"], "precisions": ["float64"], "growths": [14.0, 20.0], "seeds": [0],
    }  # fmt: skip
    return crash.crash(typed("dynamics_unstable.crash", wanted | changes), "cpu").rows["runs"]


@pytest.mark.parametrize(
    ("library", "precision", "form"),
    [
        ("torchdiffeq", "float64", "rotation"),
        ("torchdiffeq", "float32", "saddle"),
        ("odestudy", "float64", "rotation"),
    ],
)
def test_a_gradient_underflows_where_theory_makes_the_first_step_backward_none(library, precision, form):
    problem = {"name": form, "form": form, "rate": 1.0}
    growths = [12.0, 20.0] if precision == "float64" else [10.0, 18.0]
    (row,) = crash_rows(library=library, precisions=[precision], problem=problem, growths=growths)
    assert row["monotone"]
    assert row["underflow_at"] == pytest.approx(row["predicted_at"], rel=0.08)


@pytest.mark.parametrize(
    "changes",
    [{"gradient": "adjoint_seminorm"}, {"losses": ["normalised"]}, {"gradient": "backprop"}, {"library": "odestudy", "gradient": "quadrature"}],
)  # fmt: skip
def test_nothing_underflows_without_the_norm_the_scale_or_the_backward_solve(changes):
    (row,) = crash_rows(growths=[20.0], **changes)
    assert (row["underflow_at"], row["predicted_at"], row["failed_otherwise"]) == (None, None, 0)


def test_each_seed_scale_and_arithmetic_has_a_threshold_of_its_own():
    rows = crash_rows(seeds=[3, 4], losses=["mean_square", "normalised"], growths=[1.0], gradient="backprop")
    assert [(row["seed"], row["loss"]) for row in rows] == [
        (seed, loss) for seed in (3, 4) for loss in ("mean_square", "normalised")
    ]


def test_a_case_grows_by_as_much_as_it_says():
    case = Case.of(typed("dynamics_unstable.crash", CASE).problem, 8.0, 0, 0.0, 5, "normalised")
    assert torch.equal(case.model, matrix("saddle", 2.0))
    assert float(case.target[-1, 0] / case.start[0]) == pytest.approx(np.exp(8.0))
    assert float((case.target / case.scale**0.5).square().mean()) == pytest.approx(1.0)


CASE = {
    "problem": {"name": "saddle", "form": "saddle", "rate": 2.0}, "library": "odestudy", "gradient": "backprop",
    "method": "dopri5", "rtol": 1e-6, "atol": 1e-8, "max_nfe": 1000, "points": 5, "offset": 0.05,
    "losses": ["normalised"], "precisions": ["float64"], "growths": [1.0], "seeds": [0],
}  # fmt: skip


def test_what_a_setting_changes_of_the_posters_is_told_one_factor_at_a_time():
    poster = {"library": "torchdiffeq", "gradient": "adjoint", "loss": "mean_square", "precision": "float32"}
    assert changed(poster) == "nothing"
    assert changed(poster | {"gradient": "adjoint_seminorm"}) == "norm"
    assert changed(poster | {"precision": "float64"}) == "precision"
    assert changed(poster | {"library": "odestudy", "gradient": "quadrature"}) == "library_gradient"
    assert changed(poster | {"gradient": "backprop"}) == "gradient"
    assert changed(poster | {"library": "odestudy", "loss": "normalised"}) == "several"


def test_the_gradient_of_a_fast_rate_is_the_closed_forms():
    wanted = {
        "method": "dopri5", "rtol": 1e-9, "atol": 1e-12, "max_nfe": 100_000, "points": 11, "horizon": 1.0,
        "offset": 0.1, "ks": [1.0, 10.0], "seeds": [0],
    }  # fmt: skip
    rows = fast_modes.fast_modes(typed("dynamics_conditioning.fast_modes", wanted), "cpu").rows["runs"]
    assert all(row["gradient_error"] < 1e-5 for row in rows)
    assert rows[1]["exact_gradient"] < rows[0]["exact_gradient"]


@pytest.mark.parametrize("kind", ["stiff", "eigenvectors", "rotated", "data"])
def test_each_kind_of_bad_conditioning_spoils_one_number_alone(kind):
    numbers = {}
    for k in (2.0, 200.0):
        matrix, z0 = conditioning.KINDS[kind](k)
        system = {
            "field": "linear",
            "parameters": {"matrix": matrix.tolist()},
            "z0": z0.tolist(),
            "horizon": 5.0,
        }
        # Random starts would add what a single trajectory lacks; `data` is about a single one.
        data = observe(spec(system=system, points=400, trajectories=1), np.random.default_rng(0))
        numbers[k] = conditioning._conditions(matrix, data)
    grows = {name for name in numbers[2.0] if numbers[200.0][name] > 10 * numbers[2.0][name]}
    wanted = {"stiff": "stiffness", "data": "data_condition"}.get(kind, "eigenvector_condition")
    assert wanted in grows
    assert not grows & ({"stiffness", "eigenvector_condition"} - {wanted})


@pytest.mark.parametrize(("kind", "undone"), [("eigenvectors", True), ("rotated", False)])
def test_units_of_the_states_undo_nearly_parallel_eigenvectors_along_an_axis_alone(kind, undone):
    condition = {}
    for k in (1.0, 100.0):
        matrix, z0 = conditioning.KINDS[kind](k)
        system = {"field": "linear", "parameters": {"matrix": matrix.tolist()}, "z0": z0.tolist()}
        of = spec(system=system | {"horizon": 5.0}, trajectories=1, noise=0.0, scaled=True)
        scale = units_of(of, [observe(of, np.random.default_rng(0))]).scale.reshape(-1)
        _, vectors = np.linalg.eig(np.diag(1 / scale) @ matrix @ np.diag(scale))
        condition[k] = np.linalg.cond(vectors)
    assert bool(condition[100.0] < 1.01 * condition[1.0]) is undone


def test_the_way_that_the_matrix_must_go_is_counted_in_the_units_that_are_learnt():
    matrix, z0 = conditioning.KINDS["stiff"](50.0)
    system = {"field": "linear", "parameters": {"matrix": matrix.tolist()}, "z0": z0.tolist(), "horizon": 5.0}
    of = spec(system=system | {"duration": 0.1}, scaled=True, schedule="cosine", learning_rate=0.1)
    data = [observe(of, np.random.default_rng(seed)) for seed in of["seeds"]]
    ways = reachable_step.needed(of, data, matrix, "cpu")
    starts = [make_model(of, 2, seed, "cpu").a.detach().numpy() for seed in of["seeds"]]
    units = units_of(of, data)
    for way, start in zip(ways, starts, strict=True):
        in_units = 0.1 * np.diag(1 / units.scale) @ matrix @ np.diag(units.scale)
        assert way == pytest.approx(np.abs(in_units - start).max())
    assert reachable_step.possible(of) == pytest.approx(0.1 * (of["iterations"] + 1) / 2)


def linear_rows(**changes):
    wanted = spec(
        problem={"kind": "stiff", "trajectories": 4, "times": "regular"}, ks=[10.0], horizon=5.0,
        learning_rate=0.1, start_rate=0.01, iterations=200, schedule="cosine", shooting="multiple", seeds=[1],
        points=100, piece_points=8, share=1.0, learnt_pct=10.0, arms=["plain", "time", "true_form"],
    )  # fmt: skip
    wanted.pop("arm", None)
    return conditioning.linear(typed("dynamics_conditioning.linear", wanted | changes), "cpu").rows["runs"]


def test_rates_ten_times_apart_are_learnt_with_time_in_units_of_the_data_and_not_as_given():
    rows = {row["arm"]: row for row in linear_rows()}
    assert rows["plain"]["travel_needed"] > 4 * rows["time"]["travel_needed"]
    assert rows["time"]["field_error_pct"] < rows["plain"]["field_error_pct"] / 4
    assert (rows["plain"]["learnt"], rows["true_form"]["learnt"]) == (0, 1)
    assert "travel_needed" not in rows["true_form"]


def test_a_share_of_the_iterations_has_a_schedule_of_its_own():
    (half,) = linear_rows(arms=["time"], share=0.5)
    (short,) = linear_rows(arms=["time"], iterations=100)
    assert half["field_error_pct"] == short["field_error_pct"]
    assert half["share"] == 0.5


@pytest.mark.parametrize(
    ("learnt", "last"), [((1, 1, 1), 100.0), ((1, 0, 1), 1.0), ((1, 1, 0), 10.0), ((0, 1, 1), 0.0)]
)
def test_the_last_that_is_learnt_has_all_smaller_ones_learnt(learnt, last):
    rows = [{"level": k, "learnt": yes} for k, yes in zip((1.0, 10.0, 100.0), learnt, strict=True)]
    found = _last(rows[::-1])
    assert (found["last_k"], found["tried_k"]) == (last, 100.0)
    assert found["short_of"] == (100.0 / last if last else 1000.0)
    assert found["first_lost"] == {100.0: math.inf, 10.0: 100.0, 1.0: 10.0, 0.0: 1.0}[last]


def test_each_seed_of_a_batch_has_its_share_of_the_batchs_time():
    rows = [
        {"train_s": 12.0, "seeds_in_batch": 3}, {}, {}, {"train_s": 5.0, "seeds_in_batch": 1}, {}, {"train_s": 7.0},
        {"train_s": 4.0, "seeds_in_batch": 2}, {"train_s": None},
    ]  # fmt: skip
    shares = [row.get("train_s") for row in with_own_time(rows)]
    assert shares == [4.0, 4.0, 4.0, 5.0, None, 7.0, 2.0, 2.0]
    learnt = [row | {"level": 1.0, "learnt": 1} for row in with_own_time(rows)[:3]]
    assert [_last([row])["learnt_s"] for row in learnt] == [4.0, 4.0, 4.0]


def test_underflows_on_the_saddle_are_told_apart_by_the_solve_in_which_they_happen():
    ended = {"status": "step_size_underflow", "on_saddle": True}
    rows = [ended | {"failed_in": "forward"}, {"status": "ok", "on_saddle": False}]
    assert (_shares(rows)["saddle_forward_pct"], _shares(rows)["saddle_backward_pct"]) == (100.0, 0.0)
    assert _shares([ended | {"failed_in": "backward"}])["saddle_backward_pct"] == 100.0
    assert "saddle_forward_pct" not in _shares([{"status": "ok"}])


@pytest.mark.parametrize(("error", "share"), [(0.9, 0.0), (181.0, 0.0), (None, 100.0), (math.nan, 100.0)])
def test_a_forecast_without_an_error_has_left_all_bounds(error, share):
    assert _diverged_pct({"status": "ok", "trajectory_nrmse": error}) == share


def test_a_training_that_failed_has_learnt_nothing():
    assert conditioning._learnt({"status": "non_finite"}, 10.0)["learnt"] == 0
    fine = {"status": "ok", "field_error_pct": 1.0, "slow_error_pct": 2.0, "fast_error_pct": 3.0}
    assert conditioning._learnt(fine, 10.0)["learnt"] == 1
    assert conditioning._learnt(fine | {"slow_error_pct": float("nan")}, 10.0)["learnt"] == 0


@pytest.mark.parametrize(("dtype", "fine"), [(torch.float32, False), (torch.float64, True)])
def test_a_saddles_late_window_has_no_first_step_in_single_precision(dtype, fine):
    """The slope of the small component over its tolerance, squared, exceeds what single precision can hold."""
    start = torch.tensor([1.3e11, -1.5e-2], dtype=dtype)
    model = MatrixDynamics(torch.tensor([[0.8, 0.1], [-1.1, -0.5]], dtype=dtype))
    slope = model(start.new_zeros(()), start)[1].abs() / (1e-9 + 1e-7 * start[1].abs())
    assert bool(torch.isfinite(slope.square())) is fine
    solver = Solver("torchdiffeq", "dopri5", 1e-7, 1e-9, gradient="adjoint_seminorm")
    t = torch.linspace(0, 1, 5, dtype=dtype)
    if fine:
        assert torch.isfinite(integrate(model, start, t, solver)).all()
        return
    with pytest.raises(AssertionError, match=r"underflow in dt 0\.0"):
        integrate(model, start, t, solver)


def test_a_training_says_in_which_step_and_pass_it_ended():
    saddle = {
        "field": "linear",
        "parameters": {"matrix": [[1.0, 0.0], [0.0, -1.0]]},
        "z0": [0.6, 0.3],
    }
    wanted = spec(
        system=saddle | {"horizon": 31.45}, dtype="float32", points=200, rtol=1e-7, atol=1e-9, library="torchdiffeq",
        window_max=5.0, window_points=32, learning_rate=0.01, iterations=10,
    )  # fmt: skip
    ends = {}
    for gradient in ("adjoint", "adjoint_seminorm"):
        (row,) = recover.recover(
            typed("dynamics.recover", wanted | {"gradient": gradient, "seeds": [0]}), "cpu"
        ).rows["runs"]
        assert row["status"] == "step_size_underflow"
        assert row["message"].startswith(f"iteration {row['failed_step']}: ")
        ends[gradient] = row["failed_in"]
    assert ends == {"adjoint": "backward", "adjoint_seminorm": "forward"}


@pytest.mark.parametrize("method", ["kvaerno5", "rodas5p", "auto"])
def test_small_jacobians_of_separate_samples_give_what_one_of_the_whole_state_gives(method, monkeypatch):
    sizes, factorized = set(), Shifted.of

    def watched(jacobian, scale):
        sizes.add(tuple(jacobian.shape))
        return factorized(jacobian, scale)

    monkeypatch.setattr(Shifted, "of", staticmethod(watched))
    f = MatrixDynamics(torch.tensor([[-1.0, 0.0], [0.0, -400.0]], dtype=torch.float64))
    z0 = torch.randn(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    t = torch.linspace(0, 2, 4, dtype=torch.float64)
    found = {}
    for separate, size in ((False, (1, 12, 12)), (True, (6, 2, 2))):
        sizes.clear()
        found[separate] = integrate(f, z0, t, Solver(method=method, rtol=1e-6, atol=1e-8, separate=separate))
        assert sizes == {size}
    assert torch.allclose(found[False], found[True], rtol=1e-4, atol=1e-6)


def test_the_limit_of_evaluations_is_that_of_one_solve_and_not_of_the_training():
    wanted = spec(gradient="adjoint", iterations=6, seeds=[0])
    enough = recover.recover(typed("dynamics.recover", wanted), "cpu").rows["runs"][0]
    one = max(enough["nfe_forward"], enough["nfe_backward"])
    few = {
        nfe: recover.recover(typed("dynamics.recover", wanted | {"max_nfe": nfe}), "cpu").rows["runs"][0]
        for nfe in (round(3 * one), round(one / 3))
    }
    assert [row["status"] for row in few.values()] == ["ok", "max_steps"]
    assert few[round(3 * one)]["nfe_backward"] == enough["nfe_backward"]
