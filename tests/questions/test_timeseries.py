"""Time series: scores, batches and jobs, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from odestudy.analysis.tables import long_table
from odestudy.integrate import Solver
from odestudy.questions.timeseries.apart import apart_on_failure
from odestudy.questions.timeseries.derived import _ratios
from odestudy.questions.timeseries.fitted import seed_rows
from odestudy.questions.timeseries.homotopy import smoothness
from odestudy.questions.timeseries.latent import LatentODE
from odestudy.questions.timeseries.params import Forecast
from odestudy.questions.timeseries.scores import predictive_nll_nat, rmse, score
from odestudy.questions.timeseries.series import stack
from odestudy.questions.timeseries.spirals import spirals
from odestudy.questions.timeseries.training import Recipe, train
from odestudy.questions.timeseries.ways import WAYS, Rows
from odestudy.runtime.job import run_job
from odestudy.runtime.outcome import NumericalFailure, Outcome
from odestudy.runtime.parameters import Parameters
from odestudy.study import load_study
from tests.spirals import arms_of, made, some

F64 = torch.float64


@pytest.fixture(scope="module")
def arms(root):
    return arms_of(root, "released")


# --- scores


def test_errors_and_likelihoods_of_the_truth_are_those_of_the_noise():
    data = some(count=300, noise=0.3)
    assert rmse(data.inner, data.inner) == [0.0]
    assert rmse(data.inner, data.inner_noisy)[0] == pytest.approx(0.3, rel=0.05)
    entropy = 2 * math.log(0.3 * math.sqrt(2 * math.pi * math.e))
    assert predictive_nll_nat(data.inner[None], data.inner_noisy, 0.3)[0] == pytest.approx(entropy, abs=0.05)
    twice = data.inner[None].repeat(5, 1, 1, 1, 1)
    assert predictive_nll_nat(twice, data.inner_noisy, 0.3) == pytest.approx(
        predictive_nll_nat(data.inner[None], data.inner_noisy, 0.3)
    )


def test_the_score_leaves_the_solver_as_it_found_it(arms):
    model = made(arms["latent_ode"])
    assert isinstance(model, LatentODE)
    found = score(model, some(), 0.1, [0])
    assert model.steps == 8
    assert found["refinement_pct"][0] < 1.0
    assert found["is_ode"] == [1.0]
    assert all(np.isfinite(v).all() for v in found.values())


def test_smoothness_tells_an_even_passage_from_a_leap():
    share = torch.linspace(0, 1, 41, dtype=F64)[:, None, None]
    ends = torch.randn(2, 6, 2, dtype=F64)
    even = ((1 - share) * ends[0] + share * ends[1])[None, None]
    leap = torch.where(share < 0.5, ends[0], ends[1])[None, None]
    assert smoothness(even) == {"steepest_tenth_pct": [pytest.approx(10)], "detour": [pytest.approx(1)]}
    assert smoothness(leap) == {"steepest_tenth_pct": [pytest.approx(100)], "detour": [pytest.approx(1)]}


# --- batches


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_batching_gives_the_states_at_each_samples_own_times(way):
    f = Rows((3, 8, 3), 0, 2.0).double()
    t = some(count=4).t[0]
    t = t - t[:, :1]
    y0 = torch.randn(4, 3, dtype=F64, generator=torch.Generator().manual_seed(1))
    solver = Solver(method="rk4", step=0.02) if way == "shared_steps" else Solver(rtol=1e-9, atol=1e-9)
    tight = WAYS["loop"](f, y0, t, Solver(rtol=1e-11, atol=1e-12))
    torch.testing.assert_close(WAYS[way](f, y0, t, solver), tight, rtol=1e-6, atol=1e-6)


# --- jobs


def test_a_seed_without_a_finite_score_is_a_failed_row_and_the_others_stay():
    rows = seed_rows([0, 1], {"extrapolation_rmse": [math.inf, 0.5]})
    assert [row["status"] for row in rows] == ["non_finite", "ok"]
    assert "extrapolation_rmse" not in rows[0]


def test_a_solve_that_fails_ends_its_own_seed_only():
    def task(params, device):
        if 1 in params.seeds:
            raise NumericalFailure("non_finite", "overflow")
        rows = [{"seed": seed, "status": "ok", "message": ""} for seed in params.seeds]
        return Outcome({"runs": rows, "homotopy": rows}, {"seed": np.array(params.seeds)})

    found = apart_on_failure(task)(Parameters(task="x", seeds=[0, 1, 2]), "cpu")
    assert [(row["seed"], row["status"]) for row in found.rows["runs"]] == [
        (0, "ok"),
        (1, "non_finite"),
        (2, "ok"),
    ]
    assert [row["seed"] for row in found.rows["homotopy"]] == [0, 2]
    assert found.arrays["seed"].tolist() == [0]


def test_published_errors_stand_beside_those_of_the_same_arm_and_count(study_copy):
    study = load_study(study_copy, "smoke", {"questions": "timeseries"})
    for job in study.jobs_of("timeseries", ["compare"]):
        spec = job.spec | {"train_size": 6, "test_size": 4, "pairs": 2, "iterations": 1, "batch": 4}
        run_job(spec, job.metrics(study.results), code=study.code_of(job), root=study_copy)
    table = long_table(study, "timeseries_published")
    said = table[table["whose"] != "this study"]
    assert said["arm"].tolist() == ["latent_ode"]  # the smoke tier has no plain recurrent net
    published = study.sources["timeseries"]["published"]
    wanted = next(p for p in published if p["arm"] == "latent_ode" and p["observed"] == 30)
    assert said["extrapolation_rmse"].tolist() == [wanted["extrapolation_rmse"]]
    assert set(table[table["whose"] == "this study"]["arm"]) == {"rnn_gaps", "latent_ode"}


def test_errors_are_paired_by_seed_at_the_same_number_of_observations(study_copy):
    study = load_study(study_copy, "smoke", {"questions": "timeseries"})
    for job in study.jobs_of("timeseries", ["released"]):
        spec = job.spec | {"train_size": 6, "test_size": 4, "pairs": 2, "iterations": 1, "batch": 4}
        run_job(spec, job.metrics(study.results), code=study.code_of(job), root=study_copy)
    errors = long_table(study, "timeseries_released").set_index("arm")["interpolation_rmse"]
    pairs = long_table(study, "timeseries_released_pairs").set_index(["arm", "against"])
    assert len(pairs) == 2
    found = pairs.loc[("latent_ode", "rnn_gaps"), "interpolation_ratio"]
    assert found == pytest.approx(errors["latent_ode"] / errors["rnn_gaps"])
    assert pairs["interpolation_ratio"].prod() == pytest.approx(1)


def test_a_seed_that_failed_on_either_side_has_no_ratio():
    good = {"status": "ok", "interpolation_rmse": 1.0, "extrapolation_rmse": 2.0}
    bad = {"status": "non_finite", "message": "overflow"}
    assert _ratios(good, good)["extrapolation_ratio"] == 1.0
    for pair in ((good, bad), (bad, good)):
        assert _ratios(*pair) == bad


def test_a_shorter_training_has_fewer_steps_and_nothing_else(study_copy):
    study = load_study(study_copy, "quick", {"questions": "timeseries"})
    whole, half = (study.jobs_of("timeseries", [name])[0].spec for name in ("released", "released_half"))
    assert whole | {"length": half["length"]} == half
    steps = [Forecast.model_validate(spec).training_steps for spec in (whole, half)]
    assert steps[0] == 2 * steps[1] == whole["iterations"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("name", ["rnn_gaps", "ode_rnn", "latent_rnn", "latent_ode"])
def test_a_gpu_gives_the_cpus_losses_and_scores(arms, name):
    losses, scores = [], []
    for device in ("cpu", "cuda"):
        data = stack([spirals("archimedean", 10, "irregular", 8, 0.1, np.random.default_rng(0))], device, F64)
        model = made(arms[name]).to(device)
        losses.append(train(model, data, Recipe(3, 4, 0.01, 0.1), [0], device).loss)
        scores.append(score(model, data, 0.1, [0]))
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)
    assert scores[0]["extrapolation_rmse"] == pytest.approx(scores[1]["extrapolation_rmse"], rel=1e-5)
