"""Recipes of the poster's systems: what is observed, what a step sees, what the data allow, and how far they may decay."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from odestudy.questions.dynamics import derived, over_true_form, recover
from odestudy.recovery.cramer_rao import field_bound_pct, information
from odestudy.recovery.draws import START, draws
from odestudy.recovery.judge import judge
from odestudy.recovery.learning import make_model
from odestudy.recovery.true_form import _jacobian, _residual, flat, true_form
from odestudy.recovery.windows import random_windows
from odestudy.study.claims import Region
from odestudy.study.jobs import Job
from odestudy.systems.trajectories import observe
from tests.recovery import SPIRAL, spec, typed

SQUARE = {"square": 2.0, "trajectories": 12, "points": 6, "horizon": 1.0, "window_points": 6}
FOCUS = {"name": "focus", "field": "linear", "parameters": {"matrix": [[-1.0, -1.0], [1.0, -1.0]]}, "z0": [0.6, 0.3], "horizon": 9.0}  # fmt: skip
NODE = FOCUS | {"name": "node", "parameters": {"matrix": [[-1.0, 0.0], [0.0, -2.0]]}}


def pieces_of_points(**changes):
    return {k: v for k, v in spec(**changes).items() if k not in ("window_min", "window_max")}


def test_trajectories_start_anywhere_in_the_square_and_end_at_their_own_horizon():
    data = observe(spec(**SQUARE), np.random.default_rng(0))
    starts = data.truth[:, 0]
    assert starts.shape == (12, 2)
    assert np.abs(starts).max() <= 2
    assert starts.std() > 0.5
    assert data.t[0, -1] == 1.0


def test_a_window_of_points_is_so_many_observations_one_after_the_other():
    of = pieces_of_points(windows=5, window_points=7)
    data = observe(of, np.random.default_rng(0))
    batch = random_windows([data], of, [np.random.default_rng(1)])
    assert batch.t.shape == (1, 5, 7)
    assert np.allclose(np.diff(batch.t), data.t[0, 1] - data.t[0, 0])
    first = [int(np.flatnonzero((data.noisy[0] == z[0]).all(axis=1))[0]) for z in batch.z[0]]
    assert len(set(first)) > 1
    for at, z in zip(first, batch.z[0], strict=True):
        assert np.array_equal(z, data.noisy[0, at : at + 7])


def test_systems_share_neither_noise_nor_initial_weights_and_models_of_one_share_both():
    other = spec(system=SPIRAL | {"name": "other"})
    assert draws(spec(), 3, 0).random() != draws(other, 3, 0).random()
    assert draws(spec(), 3, 0).random() == draws(spec(model="mlp"), 3, 0).random()
    weights = [make_model(of, 2, 3, "cpu").a.detach().numpy() for of in (spec(), other, spec())]
    assert not np.array_equal(weights[0], weights[1])
    assert np.array_equal(weights[0], weights[2])


def test_the_jacobian_of_the_least_squares_moves_initial_states_of_all_trajectories_at_once():
    of = spec(**SQUARE)
    data = observe(of, np.random.default_rng(0))
    names, shapes, truth = flat(SPIRAL["parameters"])
    residual = partial(_residual, data=data, system=SPIRAL, names=names, shapes=shapes, until=6)
    x = np.concatenate([truth, data.noisy[:, 0].reshape(-1)])
    found = _jacobian(x, residual, len(truth), data.noisy)
    step = 1e-6
    for column in (0, 3, 4, 9, len(x) - 1):
        up, down = x.copy(), x.copy()
        up[column] += step
        down[column] -= step
        wanted = (residual(up) - residual(down)) / (2 * step)
        assert found[:, column] == pytest.approx(wanted, abs=1e-5)


def test_the_information_on_one_rate_is_the_closed_forms():
    """z' = -z from 1 at n times: dz/da = t exp(-t), dz/dz0 = exp(-t); the initial state is profiled out."""
    system = {
        "name": "decay",
        "field": "linear",
        "parameters": {"matrix": [[-1.0]]},
        "z0": [1.0],
        "horizon": 2.0,
    }
    data = observe(spec(system=system, points=9, noise=0.1), np.random.default_rng(0))
    t = data.t[0]
    a, b = t * np.exp(-t), np.exp(-t)
    wanted = (a @ a - (a @ b) ** 2 / (b @ b)) / 0.1**2
    assert information(data, system)[0, 0] == pytest.approx(wanted, rel=1e-5)


def test_least_squares_reach_the_bound_and_do_not_pass_it():
    of = spec(**SQUARE, noise=0.02)
    errors, bounds = [], []
    for seed in range(25):
        data = observe(of, np.random.default_rng(seed))
        learnt, roll = true_form(data, of, draws(of, seed, START))
        errors.append(judge(learnt, roll, data, of, np.random.default_rng(0))[0]["field_error_pct"])
        bounds.append(field_bound_pct(data, of))
    ratio = np.sqrt(np.mean(np.square(errors)) / np.mean(np.square(bounds)))
    assert 0.75 < ratio < 1.3
    assert field_bound_pct(observe(of | {"noise": 0.0}, np.random.default_rng(0)), of) is None


def test_more_points_and_less_noise_lower_the_bound_as_theory_says():
    def bound(**changes):
        of = spec(**SQUARE | changes)
        return field_bound_pct(observe(of, np.random.default_rng(0)), of)

    assert bound(noise=0.01) == pytest.approx(bound(noise=0.02) / 2, rel=0.1)
    assert bound(noise=0.01, points=60) < 0.6 * bound(noise=0.01)


def test_a_forecast_of_nothing_has_the_error_one_from_fresh_starts():
    of = spec(system=FOCUS, test_horizon=40.0)
    data = observe(of, np.random.default_rng(0))
    row, arrays = judge(
        lambda z: 0 * z, lambda z0, t: np.zeros((len(z0), len(t), 2)), data, of, np.random.default_rng(1)
    )
    true = arrays["fresh_true"]
    assert row["heldout_nrmse"] == pytest.approx(1, abs=0.1)
    assert arrays["fresh_t"][-1] == 40
    assert true.shape == arrays["fresh_learnt"].shape


def test_half_of_the_observations_show_the_fastest_mode_at_the_predicted_decades():
    for system, size, fast in ((FOCUS, np.hypot(0.6, 0.3), 1.0), (NODE, 0.3, 2.0)):
        horizon = derived.half_above_noise(system, 0.01) * np.log(10)  # the slowest rate is one
        assert size * np.exp(-fast * horizon / 2) == pytest.approx(0.01)


def test_decades_set_the_horizon_by_the_slowest_mode_and_what_does_not_decay_is_refused():
    assert recover.slowest_rate(NODE) == pytest.approx(1)
    with pytest.raises(ValueError, match="does not decay"):
        recover.slowest_rate(SPIRAL | {"parameters": {"matrix": [[0.0, -1.0], [1.0, 0.0]]}})
    wanted = pieces_of_points(system=NODE, decades=2.0, iterations=2, bound=True, seeds=[0])
    outcome = recover.recover(typed("dynamics.recover", wanted), "cpu")
    assert outcome.arrays["t"][-1] == pytest.approx(2 * np.log(10), rel=1e-6)
    (row,) = outcome.rows["runs"]
    assert row["over_bound"] == pytest.approx(row["field_error_pct"] / row["bound_pct"])


def test_the_reach_of_decay_lies_where_the_error_first_passes_one_fifth(monkeypatch):
    def job(decades, errors):
        rows = [{"seed": seed, "status": "ok", "heldout_nrmse": error} for seed, error in enumerate(errors)]
        about = {
            "system": FOCUS,
            "arm": {"name": "linear"},
            "decades": decades,
            "noise": 0.01,
            "iterations": 9,
        }
        return SimpleNamespace(
            spec=about, axis=Job(about, "").axis, folder=f"d{decades}", metrics=lambda results: rows
        )

    jobs = [job(4.0, [0.4, 0.1, 0.3, None]), job(1.0, [0.1, 0.1, 0.3, 0.1])]
    margins = {"dynamics": {"recovered": Region(at_most=0.2, because="a fifth")}}
    study = SimpleNamespace(results=None, jobs_of=lambda question, experiments: jobs, margins=margins)
    monkeypatch.setattr(derived, "read_metrics", lambda rows: {"rows": {"runs": rows}})
    found = {r["seed"]: r for r in derived.reach_of_decay(study, "dynamics", {"experiments": ["decay"]})}
    assert found[0]["recovered_decades"] == pytest.approx(2.0)  # halfway on both logarithmic axes
    assert found[1]["recovered_decades"] is None
    assert found[2]["recovered_decades"] == 0.0  # lost already where it begins
    assert found[3]["recovered_decades"] == 1.0
    assert found[0]["predicted_decades"] == pytest.approx(3.653, abs=0.01)


def test_an_error_is_held_against_the_true_form_that_saw_the_same_data(monkeypatch):
    def job(noise_pct, rows):
        about = {"system": {"name": "gated"}, "noise_pct": noise_pct, "points": 200, "trajectories": 1}
        return SimpleNamespace(
            spec=about, axis=Job(about, "").axis, folder=f"n{noise_pct}", metrics=lambda results: rows
        )

    def run(arm, seed, error):
        return {"arm": arm, "seed": seed, "status": "ok", "field_error_pct": error}

    failed = {"arm": "true_form", "seed": 2, "status": "non_finite", "field_error_pct": None}
    jobs = [
        job(1.0, [run("mlp_all", 0, 6.0), run("mlp_all", 1, 6.0), run("mlp_all", 2, 6.0)]),
        job(1.0, [run("true_form", 0, 2.0), failed]),
        job(10.0, [run("true_form", 1, 3.0)]),
    ]
    study = SimpleNamespace(results=None, jobs_of=lambda question, experiments: jobs)
    monkeypatch.setattr(over_true_form, "read_metrics", lambda rows: {"rows": {"runs": rows}})
    definition = {"experiments": ["data_noise"], "summary": {"by": ["arm", "noise_pct"]}}
    found = over_true_form.beside_true_form(study, "dynamics", definition)
    over = {(r["arm"], r["noise_pct"], r["seed"]): r.get("over_true_form") for r in found}
    assert over["mlp_all", 1.0, 0] == pytest.approx(3.0)
    assert over["mlp_all", 1.0, 1] is None  # its true form saw data with more noise
    assert over["mlp_all", 1.0, 2] is None  # the fit failed
    assert over["true_form", 1.0, 0] == pytest.approx(1.0)
