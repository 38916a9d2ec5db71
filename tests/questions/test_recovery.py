"""Recovery of dynamics: systems and their marks, windows and pieces, batches of seeds, baselines, failures."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from odestudy.errors import ConfigError
from odestudy.ode import BatchedModels
from odestudy.questions.dynamics import cost, derived, recover, success
from odestudy.recovery import true_form
from odestudy.recovery.baselines import BASELINES
from odestudy.recovery.judge import numpy_rollout
from odestudy.recovery.learning import make_model
from odestudy.recovery.training import train
from odestudy.recovery.true_form import flat, unflat
from odestudy.recovery.units import units_of
from odestudy.recovery.windows import pieces, random_windows
from odestudy.runtime.outcome import NumericalFailure
from odestudy.study import load_study
from odestudy.study.jobs import Job
from odestudy.systems.diagnostics import MARKS
from odestudy.systems.fields import field_of
from odestudy.systems.trajectories import Observed, observe, reference, times
from tests.recovery import SPIRAL, spec, typed


@pytest.mark.parametrize("name", ["lotka_volterra", "pendulum", "fitzhugh_nagumo", "van_der_pol", "lorenz"])
def test_the_true_trajectory_bears_its_own_mark(root, name):
    system = load_study(root, "quick").systems[name]
    field, t = field_of(system), np.linspace(0, 2 * system["horizon"], 801)
    true = reference(field, np.array(system["z0"]), t)
    for column, value in MARKS[system["field"]](system["parameters"], t, true, true).items():
        wanted = 2 * system["horizon"] * 0.9056 if column == "valid_lyapunov_times" else 0.0
        assert value == pytest.approx(wanted, abs=1e-6), column


def test_the_period_of_van_der_pols_oscillator_is_the_known_one(root):
    t = np.linspace(0, 60, 6001)
    true = reference(field_of({"field": "van_der_pol", "parameters": {"mu": 1.0}}), np.array([2.0, 0.0]), t)
    slow = reference(
        field_of({"field": "van_der_pol", "parameters": {"mu": 1.0}}), np.array([2.0, 0.0]), t / 1.1
    )
    assert MARKS["van_der_pol"]({}, t, true, slow)["period_error_pct"] == pytest.approx(10, rel=1e-3)
    up = np.flatnonzero((true[:-1, 0] < 0) & (true[1:, 0] >= 0))
    assert np.diff(t[up])[-1] == pytest.approx(6.6633, abs=0.02)  # Andersen, Geer 1982


def test_robertsons_species_add_up_to_one(root):
    system = load_study(root, "quick").systems["robertson"]
    t = times("log", 50, system["horizon"], np.random.default_rng(0), system["first"])
    true = reference(field_of(system), np.array(system["z0"]), t, stiff=True)
    assert true.sum(axis=1) == pytest.approx(1.0, abs=1e-9)
    assert true[-1, 0] == pytest.approx(0.01786, rel=0.01)  # HNW II, IV.10: y1 falls like this at t = 1e5


def test_all_observations_lie_in_the_pieces_and_neighbours_share_their_ends():
    data = observe(spec(points=18, trajectories=3), np.random.default_rng(0))
    batch, follows = pieces([data], 5)
    seen = {tuple(z) for z in batch.z[0].reshape(-1, 2)}
    assert seen == {tuple(z) for z in data.noisy.reshape(-1, 2)}
    ends = [tuple(batch.z[0, b, -1]) == tuple(batch.z[0, b + 1, 0]) for b in range(len(follows) - 1)]
    assert ends == follows[:-1].tolist()
    assert not follows[-1]


def test_trajectories_of_different_lengths_are_cut_into_pieces_of_their_own():
    t = np.array([[0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 0.5, np.nan, np.nan, np.nan]])
    z = np.arange(10.0).reshape(2, 5, 1)
    batch, follows = pieces([Observed(t, z, z, np.zeros(1))], 3)
    assert batch.t[0].tolist()[:2] == [[0, 1, 2], [0, 1, 2]]
    assert batch.t[0, 2, :2].tolist() == [0, 0.5]
    assert np.isnan(batch.t[0, 2, 2])
    assert follows.tolist() == [True, False, False]


def test_a_window_keeps_to_its_length_and_number_of_points():
    data = observe(spec(points=400), np.random.default_rng(0))
    rng = np.random.default_rng(1)
    for _ in range(50):
        batch = random_windows([data], spec(), [rng])
        t = batch.t[0, 0]
        assert t[0] == 0
        assert t[-1] <= 3.0
        assert 2 <= len(t) <= 12


def trained(seeds, **changes):
    wanted = spec(seeds=seeds, **changes)
    data = [observe(wanted, np.random.default_rng([seed, 0])) for seed in seeds]
    singles = [make_model(wanted, 2, seed, "cpu") for seed in seeds]
    models = BatchedModels(singles)
    rows = train(models, data, wanted)
    models.write_to(singles)
    return rows, [torch.cat([p.detach().reshape(-1) for p in model.parameters()]) for model in singles]


@pytest.mark.parametrize("shooting", ["windows", "multiple"])
@pytest.mark.parametrize("model", ["linear", "mlp"])
def test_seeds_that_train_as_one_batch_end_as_each_alone_does(model, shooting):
    rows, together = trained([0, 1, 2], model=model, shooting=shooting, iterations=15)
    for i, seed in enumerate((0, 1, 2)):
        alone_rows, alone = trained([seed], model=model, shooting=shooting, iterations=15)
        torch.testing.assert_close(together[i], alone[0], rtol=1e-6, atol=1e-9)
        assert rows[i]["train_loss"] == pytest.approx(alone_rows[0]["train_loss"], rel=1e-6)


def test_the_cost_of_a_batch_stands_in_one_row_and_is_that_of_one_model():
    rows, _ = trained([0, 1, 2], iterations=3)
    assert [row.get("seeds_in_batch") for row in rows] == [3, None, None]
    assert all(("train_s" in row) == (i == 0) for i, row in enumerate(rows))


def test_a_run_within_the_bound_counts_as_recovered_and_a_failed_one_never():
    wanted = spec(iterations=3, seeds=[0, 1])
    for bound, recovered in ((1e-9, 0), (1e9, 1)):
        rows = recover.recover(typed("dynamics.recover", wanted | {"recovered_pct": bound}), "cpu").rows[
            "runs"
        ]
        assert [row["recovered"] for row in rows] == [recovered, recovered]
    rows = success.counted(
        [{"status": "max_steps", "field_error_pct": 1.0}, {"status": "ok"}], {"recovered_pct": 5.0}
    )
    assert [row["recovered"] for row in rows] == [0, 0]


def test_a_training_step_is_timed_for_each_model_by_itself():
    wanted = spec(shooting="multiple", repeats=3, iterations=7, seeds=[0, 1])
    rows = cost.steps(typed("dynamics_cost.steps", wanted), "cpu").rows["runs"]
    assert [row["status"] for row in rows] == ["ok", "ok"]
    for row in rows:
        assert row["step_q1_s"] <= row["step_s"] <= row["step_q3_s"]
        assert row["train_s"] == pytest.approx(7 * row["step_s"])
        assert row["nfe_forward"] > 0
        assert row["saved_mib"] > 0


def test_a_seed_whose_loss_is_lost_in_multiple_shooting_leaves_the_others_theirs(monkeypatch):
    from odestudy.recovery import shooting

    original = shooting.Multiple.losses
    calls = []

    def losses(self):
        calls.append(0)
        factor = torch.tensor([1.0, torch.nan if len(calls) == 3 else 1.0, 1.0])
        return original(self) * factor.to(self.unit)

    monkeypatch.setattr(shooting.Multiple, "losses", losses)
    rows, together = trained([0, 1, 2], shooting="multiple", iterations=6)
    assert [row["status"] for row in rows] == ["ok", "non_finite", "ok"]
    monkeypatch.undo()
    for i in (0, 2):
        _, alone = trained([i], shooting="multiple", iterations=6)
        torch.testing.assert_close(together[i], alone[0], rtol=1e-6, atol=1e-9)


def test_a_seed_that_fails_keeps_its_weights_and_the_others_train_on(monkeypatch):
    from odestudy.recovery import shooting

    original = shooting.Windows.losses
    calls = []

    def losses(self):
        calls.append(0)
        if len(calls) == 4:
            self.lose(1, NumericalFailure("non_finite", "for the test"))
        return original(self)

    _, before = trained([0, 1, 2], iterations=3)
    monkeypatch.setattr(shooting.Windows, "losses", losses)
    rows, after = trained([0, 1, 2], iterations=10)
    assert [row["status"] for row in rows] == ["ok", "non_finite", "ok"]
    assert rows[1]["iterations_done"] == 3
    assert torch.equal(after[1], before[1])
    assert not torch.equal(after[0], before[0])


def test_irregular_times_are_recovered_from_pieces_with_steps_of_their_own():
    rows, weights = trained(
        [0, 1], shooting="multiple", times="irregular", noise=0.0, iterations=300, learning_rate=0.05
    )
    assert all(row["status"] == "ok" for row in rows)
    for found in weights:
        assert found == pytest.approx([-0.1, -1.0, 1.0, -0.1], abs=0.05)


def test_units_bring_the_data_to_zero_mean_and_unit_spread_and_the_field_back():
    data = observe(spec(), np.random.default_rng(0))
    units = units_of(spec(scaled=True, model="mlp", system=SPIRAL | {"duration": 2.0}), [data])
    scaled = units.scaled(data)
    assert scaled.noisy.reshape(-1, 2).mean(axis=0) == pytest.approx([0, 0], abs=1e-12)
    assert scaled.noisy.reshape(-1, 2).std(axis=0) == pytest.approx([1, 1])
    slopes = np.diff(data.truth[0], axis=0) / np.diff(data.t[0])[:, None]
    same = np.diff(scaled.truth[0], axis=0) / np.diff(scaled.t[0])[:, None]
    assert units.meant(lambda z: same)(data.truth[0, :-1]) == pytest.approx(slopes)


@pytest.mark.parametrize(("name", "allowed"), [("true_form", 1.0), ("gradient_matching", 25.0), ("stepper", 25.0), ("sindy", 5.0)])  # fmt: skip
def test_a_baseline_finds_the_field_of_a_spiral_from_clean_data(name, allowed):
    wanted = spec(noise=1e-6, points=200, fit_iterations=1500)
    data = observe(wanted, np.random.default_rng(0))
    learnt, roll = BASELINES[name](data, wanted, np.random.default_rng(0))
    truth = field_of(SPIRAL)(0.0, data.truth[0])
    error = 100 * np.linalg.norm(learnt(data.truth[0]) - truth) / np.linalg.norm(truth)
    assert error < allowed
    assert roll(data.truth[:, 0], data.t[0]).shape == data.truth.shape


def test_shares_over_systems_are_one_a_seed_and_count_what_failed(monkeypatch):
    def job(name, field, rows):
        about = {"system": {"name": name, "field": field}, "arm": {"name": "mlp"}, "gradient": "backprop"}
        return SimpleNamespace(
            spec=about, axis=Job(about, "").axis, folder=name, metrics=lambda results: rows
        )

    def run(seed, recovered, status="ok"):
        return {"seed": seed, "recovered": recovered, "status": status}

    jobs = [
        job("a", "linear", [run(0, 1), run(1, 0)]),
        job("b", "linear", [run(0, 1), run(1, 0, "step_size_underflow")]),
        job("c", "gated", [run(0, 0), run(1, 1)]),
    ]
    study = SimpleNamespace(results=None, jobs_of=lambda question, experiments: jobs)
    monkeypatch.setattr(derived, "read_metrics", lambda rows: {"rows": {"runs": rows}})
    definition = {"experiments": ["recover"], "summary": {"by": ["systems", "arm", "gradient"]}}
    found = derived.shares_over_systems(study, "dynamics", definition)
    shares = {(r["systems"], r["seed"]): (r["cells"], r["recovered_share_pct"]) for r in found}
    assert shares["linear", 0] == (2, 100)
    assert shares["linear", 1] == (2, 0)
    assert shares["all", 0] == (3, pytest.approx(200 / 3))
    assert next(r for r in found if (r["systems"], r["seed"]) == ("linear", 1))["underflow_pct"] == 50
    assert all((r["arm"], r["gradient"], r["status"]) == ("mlp", "backprop", "ok") for r in found)


def test_parameters_go_into_a_row_of_numbers_and_back():
    parameters = {"a": 2.0, "matrix": [[1.0, 2.0], [3.0, 4.0]]}
    names, shapes, row = flat(parameters)
    assert row.tolist() == [2, 1, 2, 3, 4]
    assert unflat(row, names, shapes) == parameters


def test_a_field_of_ones_own_is_found_by_file_and_function(tmp_path, monkeypatch):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "study.yaml").write_text("")
    (tmp_path / "mine.py").write_text("def decay(t, z, rate):\n    return -rate * z\n")
    monkeypatch.chdir(tmp_path)
    field = field_of({"name": "x", "field": "mine.py:decay", "parameters": {"rate": 2.0}})
    assert field(0.0, np.array([1.0, -1.0])).tolist() == [-2, 2]
    with pytest.raises(ValueError, match="no function"):
        field_of({"name": "x", "field": "mine.py:growth"})
    with pytest.raises(ValueError, match="no file"):
        field_of({"name": "x", "field": "theirs.py:decay"})


def test_a_system_of_ones_own_is_one_line_and_runs_again_when_its_file_changes(edit, monkeypatch):
    entry = {
        "label": "mine", "field": "my/decay.py:field", "parameters": {"rate": 1.0}, "z0": [1.0, 2.0], "horizon": 5.0,
        "noise": 0.02, "groups": ["recover"],
    }  # fmt: skip
    root = edit("config/systems.yaml", lambda d: d.update(mine=entry))
    monkeypatch.chdir(root)
    with pytest.raises(ConfigError, match=r"mine: .* no file"):
        load_study(root, "quick")
    (root / "my").mkdir()
    code = root / "my" / "decay.py"
    code.write_text("def field(t, z, rate):\n    return -rate * z\n")

    def jobs():
        by = load_study(root, "quick").jobs_by
        found = [job for name in ("recover", "recover_net") for job in by["dynamics", name]]
        return [job for job in found if job.spec["system"]["name"] == "mine"]

    first = jobs()
    assert len(first) == 2  # a matrix and a small net
    row = recover.recover(
        typed("dynamics.recover", first[0].spec | {"iterations": 3, "seeds": [0], "points": 30}), "cpu"
    ).rows["runs"][0]
    assert row["status"] == "ok"
    code.write_text("def field(t, z, rate):\n    return -2 * rate * z\n")
    assert {job.key for job in jobs()}.isdisjoint({job.key for job in first})
    code.write_text("def field(t, z, rate):\n    return [0.0]\n")
    with pytest.raises(ConfigError, match="mine"):
        load_study(root, "quick")


@pytest.mark.parametrize("stiff", [False, True])
def test_a_forecast_that_ends_early_counts_as_far_as_it_goes(stiff):
    t = np.linspace(0, 2, 41)
    (found,) = numpy_rollout(lambda z: z**2, np.array([[1 / 1.5]]), t, stiff)  # 1 / (1.5 - t)
    assert np.allclose(found[t < 1.45, 0], 1 / (1.5 - t[t < 1.45]), rtol=1e-3)
    assert np.isnan(found[t > 1.55]).all()


def test_least_squares_that_meet_numbers_that_are_not_finite_have_failed(monkeypatch):
    wanted = spec(noise_pct=1.0)
    data = observe(wanted, np.random.default_rng(0))
    monkeypatch.setattr(true_form, "_jacobian", lambda x, like, **_: np.full((like.size, len(x)), np.inf))
    with pytest.raises(NumericalFailure, match="least squares"):
        true_form.true_form(data, wanted, np.random.default_rng(0))
