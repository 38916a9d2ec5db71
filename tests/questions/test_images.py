"""Image arms: sizes, paired arms, their solvers and tests, derived tables."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from odestudy.analysis.tables import long_table
from odestudy.datasets.images import load_images
from odestudy.errors import ConfigError
from odestudy.integrate import Solver, integrate
from odestudy.learning.augment import random_crop
from odestudy.learning.evaluate import accuracy_change_pct, mflop_an_image, solved_with
from odestudy.learning.recipe import Recipe
from odestudy.nets.blocks import ConvDynamics, TimeConv
from odestudy.nets.images import make_classifier
from odestudy.questions.images.arms import solver_of
from odestudy.questions.images.solvers import solvers_of
from odestudy.runtime.registry import find_task
from odestudy.runtime.store import read_arrays, read_metrics, write_metrics
from odestudy.statistics.tests import mcnemar_p
from odestudy.study import load_study
from tests.images import params_of


def spec_of(root, task, **changes):
    study = load_study(root, "smoke")
    return next(j for j in study.jobs.values() if j.task == task).spec | changes


@pytest.mark.parametrize(
    ("arm", "count"),
    [
        ({"net": "odenet"}, 208_266),
        ({"net": "resnet", "blocks": 6}, 576_778),
        ({"net": "resnet", "blocks": 1}, 206_858),
        ({"net": "tied", "blocks": 6}, 206_858),
        ({"net": "none"}, 132_874),
        ({"net": "mlp"}, 238_510),
        ({"net": "walkthrough"}, 208_010),
    ],
)
def test_the_nets_of_the_mnist_experiment_have_their_parameter_counts(arm, count):
    assert make_classifier("mnist", arm, Solver()).parameter_count() == count


def test_an_unknown_net_or_size_names_the_known_ones():
    with pytest.raises(ValueError, match="resnet, tied, odenet"):
        make_classifier("mnist", {"net": "vgg"}, Solver())
    with pytest.raises(ValueError, match="digits, mnist"):
        make_classifier("cifar", {"net": "none"}, Solver())


def test_arms_share_the_initialisation_of_stem_and_head():
    nets = []
    for arm in ({"net": "odenet"}, {"net": "resnet", "blocks": 6}, {"net": "tied", "blocks": 6}):
        torch.manual_seed(3)
        nets.append(make_classifier("digits", arm, Solver()))
    for part in ("stem", "head"):
        first, *others = (getattr(net, part).state_dict() for net in nets)
        assert all(torch.equal(first[k], other[k]) for other in others for k in first)


def test_one_euler_step_of_the_ode_block_is_state_plus_dynamics():
    net = make_classifier("digits", {"net": "odenet"}, Solver(method="euler", step=1.0))
    y = torch.randn(2, 16, 8, 8)
    assert torch.equal(net.block(y), y + net.ode().f.f(torch.zeros(()), y))


def test_a_convolution_that_sees_time_is_that_of_the_concatenation():
    torch.manual_seed(0)
    conv, y, t = TimeConv(4, 3).double(), torch.randn(2, 4, 5, 5).double(), torch.tensor(0.7).double()
    whole = torch.cat([torch.ones_like(y[:, :1]) * t, y], 1)
    expected = nn.functional.conv2d(whole, conv.weight, conv.bias, padding=1)
    assert torch.allclose(conv(t, y), expected, rtol=1e-12, atol=1e-12)


def test_the_tied_net_with_the_odes_own_function_is_eulers_method():
    f, y = ConvDynamics(4), torch.randn(2, 4, 5, 5)
    t = torch.tensor([0.0, 1.0])
    state = y
    for k in range(2):
        state = state + 0.5 * f(torch.tensor(k / 2), state)
    assert torch.allclose(integrate(f, y, t, Solver(method="euler", step=0.5))[-1], state, atol=1e-6)


def test_a_crop_shifts_each_image_by_up_to_four_pixels_and_fills_with_background():
    x = torch.zeros(200, 1, 9, 9) - 0.4
    x[:, 0, 4, 4] = 1.0
    cropped = random_crop(x, torch.Generator().manual_seed(0))
    assert (cropped.amax((1, 2, 3)) == 1).all()
    assert cropped.min() == pytest.approx(-0.4)
    places = {tuple(p) for p in (cropped[:, 0] == 1).nonzero()[:, 1:].tolist()}
    assert {p[0] for p in places} == set(range(9)) == {p[1] for p in places}
    assert torch.equal(cropped, random_crop(x, torch.Generator().manual_seed(0)))


def test_the_constant_schedule_is_constant_and_the_other_one_ends_near_zero():
    for schedule, last in (("constant", 0.1), ("one_cycle", 0.0)):
        recipe = Recipe(4, 2, 0.1, schedule=schedule)
        optimizer = torch.optim.Adam([nn.Parameter(torch.zeros(1))], lr=0.1)
        schedule = recipe.make_schedule(optimizer, 10)
        for _ in range(2 * recipe.steps(10) - 1):
            optimizer.step()
            schedule.step()
        assert optimizer.param_groups[0]["lr"] == pytest.approx(last, abs=1e-3)
    with pytest.raises(ValueError, match="one_cycle, constant"):
        Recipe(4, 2, 0.1, schedule="cosine")


def test_the_refinement_gate_measures_the_change_of_the_accuracy():
    assert accuracy_change_pct(2.0, 2.0) == 0
    assert accuracy_change_pct(2.0, 51.0) == pytest.approx(50.0)
    assert accuracy_change_pct(51.0, 2.0) == pytest.approx(100.0)


def test_a_net_keeps_its_solver_after_a_test_under_another(root):
    net = make_classifier("digits", {"net": "odenet"}, Solver(method="euler", step=0.5))
    with solved_with(net, method="rk4", step=0.25):
        net(torch.randn(1, 1, 8, 8))
    assert net.take_nfe() == (16, 0)
    assert (net.ode().solver.method, net.ode().solver.step) == ("euler", 0.5)
    with pytest.raises(ValueError, match="no ODE"):
        make_classifier("digits", {"net": "none"}, Solver()).ode()


def test_operations_are_counted_an_image():
    net = make_classifier("mnist", {"net": "mlp"}, Solver())
    x = torch.randn(4, 1, 28, 28)
    assert mflop_an_image(net, x) == pytest.approx(2 * (784 * 300 + 300 * 10) / 1e6)


def test_nets_trained_and_tested_with_every_solver_have_a_row_each(root):
    spec = spec_of(root, "images_solvers.cross", seeds=[0], train_size=64, epochs=1)
    outcome = find_task("images_solvers.cross")(spec, "cpu")
    tests = list(solvers_of(params_of(spec)))
    assert len(outcome.rows["runs"]) == len(tests) == 7
    own = next(r for r in outcome.rows["runs"] if (r["test_method"], r["test_step"]) == ("euler", 1.0))
    assert own["test_error_pct"] == outcome.rows["nets"][0]["test_error_pct"]


def test_a_training_that_fails_leaves_a_failed_row_for_every_test(root):
    spec = spec_of(root, "images_solvers.cross", seeds=[0], train_size=64, epochs=1, max_nfe=1)
    spec["solver"] = {"name": "dopri5_3", "method": "dopri5", "rtol": 1e-3, "atol": 1e-3}
    outcome = find_task("images_solvers.cross")(spec, "cpu")
    assert {r["status"] for rows in outcome.rows.values() for r in rows} == {"max_steps"}
    assert len(outcome.rows["runs"]) == 7


def test_the_sweep_counts_forward_and_backward_evaluations_of_adams_too(root):
    own = {"seeds": [0], "train_size": 32, "epochs": 1, "test_steps": [2], "tolerances": [1e-1, 1e-3]}
    spec = spec_of(root, "images_solvers.sweep", **own)
    rows = find_task("images_solvers.sweep")(spec, "cpu").rows["runs"]
    assert [r["status"] for r in rows] == ["ok"] * len(rows)
    fixed = next(r for r in rows if r["test_method"] == "rk4")
    assert (fixed["nfe_forward"], fixed["eval_nfe"]) == (8, 8)
    adams = [r for r in rows if r["test_method"] == "scipy_adams"]
    assert adams[1]["nfe_forward"] > adams[0]["nfe_forward"] > 0
    assert all(r["nfe_backward"] > 0 for r in adams)


def test_stages_over_step_are_the_evaluations_of_a_forward_pass(root):
    spec = spec_of(
        root, "images_cost.stages", seeds=[0], methods=["euler", "midpoint", "rk4"], steps=[1, 2], repeats=1
    )
    rows = find_task("images_cost.stages")(spec, "cpu").rows["runs"]
    assert [r["nfe_forward"] for r in rows] == [1, 2, 2, 4, 4, 8]
    assert all(r["wall_s"] > 0 and r["nfe_backward"] == 0 for r in rows)


def test_a_verdict_names_the_data_that_it_rests_on(root):
    """None about MNIST may rest on digits."""
    study = load_study(root, "quick")
    seen = 0
    for claim in study.claims:
        estimand = claim.get("estimand", {})
        dataset = estimand.get("where", {}).get("dataset")
        if claim["question"] == "images" and dataset:
            seen += 1
            words = f"{claim['says']} {estimand['is']}"
            assert {"digits": "digits", "mnist": "MNIST"}[dataset] in words, claim["id"]
            assert dataset != "digits" or "MNIST" not in words, claim["id"]
    assert seen > 20


def test_the_last_word_on_the_solver_has_the_named_one(root):
    spec = spec_of(root, "images_solvers.cross")
    assert solver_of(params_of(spec | {"solver": {"name": "x", "method": "rk4", "step": 0.5}})).step == 0.5
    assert solver_of(params_of(spec), rtol=1e-9).rtol == 1e-9


def fashion_folder() -> Path:
    """Debian's package dataset-fashion-mnist holds the four files, packed by another gzip than the official ones."""
    folder = Path("/usr/share/datasets/fashion-mnist")
    if not folder.is_dir():
        pytest.skip(f"Fashion-MNIST is not in {folder} (Debian's package dataset-fashion-mnist)")
    return folder


def test_fashion_mnist_is_read_from_unpacked_files(tmp_path, monkeypatch):
    raw = tmp_path / "FashionMNIST/raw"
    raw.mkdir(parents=True)
    for file in fashion_folder().glob("*.gz"):
        with gzip.open(file) as packed, (raw / file.stem).open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
    monkeypatch.setenv("ODESTUDY_DATA", str(tmp_path))
    data = load_images("fashion", train_size=None)
    assert data.train[0].shape == (55000, 1, 28, 28)
    assert data.test[1][:5].tolist() == [9, 2, 1, 1, 6]


@pytest.fixture
def trained(study_copy):
    """Two arms with metrics as a job writes them."""
    study = load_study(study_copy, "smoke", {"questions": "images"})
    truth = np.array([0, 1, 2, 3], dtype=np.uint8)
    found = {"odenet_adjoint": [0, 1, 2, 4], "resnet6": [0, 5, 6, 3], "odenet_backprop": [0, 1, 2, 3]}
    for job in study.jobs_by["images", "train"]:
        answer = np.array(found[job.spec["arm"]["name"]], dtype=np.uint8)
        errors = int((answer != truth).sum())
        row = {"seed": 0, "status": "ok", "message": "", "test_error_pct": 25.0 * errors, "parameters": 5}
        row |= {"test_errors": errors, "test_images": 4, "mflop": 1.0}
        content = {"spec": job.spec, "rows": {"runs": [row]}, "code": study.code_of(job), "provenance": {}}
        write_metrics(job.metrics(study.results), content, {"truth": truth, "found_seed0": answer})
    walk = study.jobs_by["images", "walkthrough"][0]
    alone = [job for name in ("step", "cost") for job in study.jobs_by["images", name]]
    for job in (walk, *alone):
        content = {"spec": job.spec, "rows": {"runs": []}, "code": study.code_of(job), "provenance": {}}
        write_metrics(job.metrics(study.results), content, {})
    return study


def test_mcnemar_pairs_compare_the_same_test_images(trained):
    table = long_table(trained, "images_mcnemar").set_index("other")
    assert (table.loc["resnet6", "only_arm"], table.loc["resnet6", "only_other"]) == (2, 1)
    assert table.loc["resnet6", "p"] == mcnemar_p(np.array([1, 1, 1, 0], bool), np.array([1, 0, 0, 1], bool))
    assert (table.loc["odenet_backprop", "only_arm"], table.loc["odenet_backprop", "only_other"]) == (0, 1)
    assert "odenet_adjoint" not in table.index


def test_a_row_whose_metrics_other_code_wrote_is_stale(trained):
    older = trained.jobs_by["images", "train"][0]
    path = older.metrics(trained.results)
    write_metrics(path, read_metrics(path) | {"code": "older"}, read_arrays(path))
    table = long_table(trained, "images_accuracy")
    assert set(table.loc[table["stale"], "job"]) == {older.folder}
    assert len(set(table["job"])) > 1


def test_an_arms_error_has_the_interval_of_its_test_images(trained):
    table = long_table(trained, "images_published")
    row = table[table["arm"] == "resnet6"].iloc[0]
    assert row["test_error_pct"] == 50.0
    assert row["binomial_low_pct"] < 50.0 < row["binomial_high_pct"]
    assert "seeds_low_pct" not in table or pd.isna(row.get("seeds_low_pct"))  # one seed


def test_the_protocol_card_has_a_row_for_each_difference(trained):
    table = long_table(trained, "images_protocol")
    assert table["item"].tolist() == [e["item"] for e in trained.sources["images"]["protocol"]]
    assert table["contradicts"].sum() >= 1


def test_a_run_can_be_cut_to_arms(root):
    study = load_study(root, "quick", {"questions": "images", "arms": "resnet1,odenet_adjoint"})
    assert {j.spec["arm"]["name"] for j in study.jobs.values()} == {"resnet1", "odenet_adjoint"}
    with pytest.raises(ConfigError, match="unknown arm 'vgg'"):
        load_study(root, "quick", {"arms": "vgg"})


def test_an_unknown_derivation_is_refused_with_the_known_ones(edit):
    folder = edit(
        "config/questions/images.yaml", lambda d: d["tables"]["images_mcnemar"].update(derive="magic")
    )
    with pytest.raises(ConfigError, match="mcnemar_pairs"):
        load_study(folder, "smoke")
