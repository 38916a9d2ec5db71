"""Images on a GPU: a training is repeatable to the bit, and close to the CPU's."""

from __future__ import annotations

import pytest
import torch

from odestudy.runtime.job import run_job
from odestudy.study import load_study

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]


def found(root, folder, arm, device, task="images_train.train"):
    """(rows, provenance) of a short training of an arm on digits."""
    jobs = load_study(root, "quick", {"questions": "images"}).jobs.values()
    spec = next(j.spec for j in jobs if j.task == task and j.spec["arm"]["name"] == arm)
    spec = spec | {"epochs": 1, "train_size": 256, "seeds": [0], "device": device}
    content = run_job(spec, folder / device / arm / "metrics.json", code="of a test", root=root)
    return content["rows"], content["provenance"]


@pytest.mark.parametrize("arm", ["resnet6", "resnet1", "odenet_backprop", "odenet_adjoint"])
def test_a_training_gives_the_same_bits_again_and_about_the_cpus_loss(root, tmp_path, arm):
    (first, source), (again, _) = (found(root, tmp_path / name, arm, "cuda") for name in "ab")
    on_cpu, _ = found(root, tmp_path, arm, "cpu")
    assert source["device"] == "cuda"
    assert source["nondeterministic"] == []
    for name in ("train_loss", "validation_error_pct", "nfe_forward", "nfe_backward"):
        assert first["epochs"][0][name] == again["epochs"][0][name], name
    assert first["runs"][0]["status"] == "ok"
    assert first["runs"][0]["test_errors"] == again["runs"][0]["test_errors"]
    assert first["epochs"][0]["train_loss"] == pytest.approx(on_cpu["epochs"][0]["train_loss"], rel=0.05)


@pytest.mark.parametrize("arm", ["resnet6", "odenet_adjoint"])
def test_a_step_is_timed_on_a_gpu(root, tmp_path, arm):
    rows, _ = found(root, tmp_path, arm, "cuda", "images_cost.step")
    assert rows["runs"][0]["status"] == "ok"
    assert 0 < rows["runs"][0]["step_s"] < 10


def test_the_walkthroughs_net_trains_on_a_gpu(root, tmp_path):
    rows, _ = found(root, tmp_path, "walkthrough", "cuda")
    assert rows["runs"][0]["status"] == "ok"
