"""The full tier's image experiments, on MNIST itself, cut to a few images and one epoch."""

from __future__ import annotations

import shutil

import pytest

from odestudy.datasets import images
from odestudy.runtime.registry import find_task
from odestudy.study import load_study

CUT = {
    "train_size": 10, "epochs": 1, "batch": 8, "eval_batch": 20, "repeats": 1, "steps": [2], "methods": ["euler"],
    "test_steps": [1], "tolerances": [1.0e-1], "seeds": [0], "device": "cpu",
}  # fmt: skip
# What is seen in the images decides the outcome of these; the others count and time.
ON_CONTENT = ("train_mnist", "walkthrough_mnist", "cross_mnist", "sweep_mnist")


def full(root):
    return load_study(root, "full", {"questions": "images"})


@pytest.fixture(scope="module")
def little_mnist(mnist_files, tmp_path_factory):
    """A few of MNIST's images, read from the official files."""
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(mnist_files, folder / "MNIST/raw", ignore=shutil.ignore_patterns("*-ubyte"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(images.FOLDER_VARIABLE, str(folder))
        (x, y), (x_test, y_test), _ = images.LOADERS["mnist"]()
        cut = (x[:40], y[:40]), (x_test[:20], y_test[:20]), 20
        patch.setitem(images.LOADERS, "mnist", lambda: cut)
        yield


def test_every_experiment_and_arm_of_the_full_tier_runs_on_mnist(root, little_mnist):
    specs = {}
    for (_, experiment), jobs in full(root).jobs_by.items():
        for job in jobs:
            if job.spec["dataset"] == "mnist":
                specs.setdefault((experiment, job.spec["arm"]["name"]), (job.task, job.spec))
    assert {experiment for experiment, _ in specs} == {
        *ON_CONTENT,
        "budgets",
        "cost_mnist",
        "depths_mnist",
        "peaks_mnist",
        "stages_mnist",
        "step_mnist",
        "sizes",
    }
    for (experiment, arm), (task, spec) in specs.items():
        cut = spec | {name: value for name, value in CUT.items() if name in spec}
        rows = find_task(task)(cut, "cpu").rows["runs"]
        assert rows, (experiment, arm)
        assert {row.get("status", "ok") for row in rows} == {"ok"}, (experiment, arm, rows)


def test_what_rests_on_the_images_has_fashion_beside_mnist(root):
    study = full(root)
    for experiment in ON_CONTENT:
        found = {"mnist": set(), "fashion": set()}
        fashion = study.jobs_by["images", "walkthrough"] if experiment == "walkthrough_mnist" else []
        for job in [*study.jobs_by["images", experiment], *fashion]:
            rest = {k: str(v) for k, v in job.spec.items() if k != "dataset"}
            found.get(job.spec["dataset"], set()).add(tuple(sorted(rest.items())))
        assert found["mnist"] == found["fashion"] != set(), experiment
