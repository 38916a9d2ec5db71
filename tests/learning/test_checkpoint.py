"""A training of images that fails, is killed or taken up again."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest
import torch

from odestudy.learning import loop
from odestudy.runtime.checkpoint_dir import at_work
from odestudy.runtime.job import run_job
from odestudy.runtime.outcome import NumericalFailure
from odestudy.runtime.registry import find_task
from odestudy.runtime.store import read_metrics
from odestudy.study import load_study
from tests.images import data_of, fit_of


def small_training(root, arm="odenet_backprop", **changes):
    study = load_study(root, "smoke")
    spec = next(
        j.spec for j in study.jobs.values() if j.task == "images_train.train" and j.spec["arm"]["name"] == arm
    )
    return spec | {"train_size": 64, "epochs": 3, "eval_batch": 400, "device": "cpu"} | changes


def test_a_loss_that_is_not_finite_ends_the_training_in_its_epoch_and_keeps_the_epochs_before(root):
    spec = small_training(root, arm="resnet6", epochs=2)
    data = data_of(spec)
    fit = fit_of(spec, data)
    original = fit.net.take_nfe
    taken = iter(range(1000))
    steps = fit.recipe.steps(len(data.train[0]))

    def poisoned():
        if next(taken) == steps:  # the first step of the second epoch
            fit.net.head[-1].weight.data.fill_(torch.nan)
        return original()

    fit.net.take_nfe = poisoned
    with pytest.raises(NumericalFailure, match="epoch 2") as caught:
        fit.run(data, 400, "x")
    assert caught.value.status == "non_finite"
    assert [row["epoch"] for row in fit.training.rows] == [1]


MEASURED = ("_s", "peak_mib")


def without_measured(rows):
    return {
        k: [{c: v for c, v in r.items() if not c.endswith(MEASURED)} for r in part]
        for k, part in rows.items()
    }


def test_a_training_that_was_killed_goes_on_to_the_same_bits(root, tmp_path):
    """kill -9 after the first checkpoint, then again; augmented, so that both generators have to be taken up."""
    spec = small_training(root, arm="resnet6", epochs=20, augment=True, train_size=128)
    whole = run_job(spec, tmp_path / "whole/metrics.json", code="c", root=root)
    target = tmp_path / "killed/metrics.json"
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    code = (
        "import json, sys; from pathlib import Path; from odestudy.runtime.job import run_job;"
        f"run_job(json.loads(Path({str(tmp_path / 'spec.json')!r}).read_text()), Path({str(target)!r}), code='c',"
        f" root=Path({str(root)!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env=os.environ)
    file = target.parent / "checkpoint/seed0.pt"
    deadline = time.monotonic() + 120
    while not file.is_file() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert file.is_file()
    assert not target.is_file(), "the job ended before it could be killed"
    resumed = run_job(spec, target, code="c", root=root)
    assert without_measured(resumed["rows"]) == without_measured(whole["rows"])
    arrays = [np.load(tmp_path / name / "arrays.npz") for name in ("whole", "killed")]
    assert all(np.array_equal(arrays[0][name], arrays[1][name]) for name in arrays[0].files)
    assert not file.parent.exists()


def test_a_checkpoint_restores_weights_adam_schedule_and_generators(root, tmp_path):
    spec = small_training(root, epochs=2, augment=True)
    data = data_of(spec)
    with suppress(InterruptedError), at_work(tmp_path / "c", "job code"):
        fit = fit_of(spec, data)
        fit.run(data, 400, "seed0")
        raise InterruptedError
    with suppress(InterruptedError), at_work(tmp_path / "c", "job code"):
        again = fit_of(spec, data)
        again.run(data, 400, "seed0")
        raise InterruptedError
    for one, other in zip(fit.net.state_dict().values(), again.net.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    assert (
        again.training.rows == fit.training.rows
    )  # with the times of the first run: nothing was trained again
    states = [t.optimizer.state_dict()["state"] for t in (fit.training, again.training)]
    assert all(torch.equal(states[0][i][k], states[1][i][k]) for i in states[0] for k in states[0][i])
    for name in ("order", "augment"):
        kept = [t.generators[name].get_state() for t in (fit.training, again.training)]
        assert torch.equal(*kept)


def test_a_gpu_without_memory_is_the_status_of_its_run_and_the_other_seeds_go_on(root, monkeypatch):
    spec = small_training(root, arm="resnet6", epochs=2, seeds=[0, 1, 2])
    whole = find_task("images_train.train")(dict(spec), "cpu").rows["runs"]
    step, steps = loop._step, 0

    def out_of_memory(*arguments):
        nonlocal steps
        steps += 1
        if arguments[0].generators["order"].initial_seed() == 1 and arguments[0].rows:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has ...")
        return step(*arguments)

    monkeypatch.setattr(loop, "_step", out_of_memory)
    runs = find_task("images_train.train")(dict(spec), "cpu").rows["runs"]
    assert steps > 3
    assert [run["status"] for run in runs] == ["ok", "out_of_memory", "ok"]
    assert runs[1]["message"] == "CUDA out of memory. Tried to allocate 2.00 GiB."
    assert without_measured({"runs": runs[::2]}) == without_measured({"runs": whole[::2]})


def flipped(content, place):
    """One bit of one byte is another one."""
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def behind(content, *marks):
    """The place behind the marks, each looked for from the one before."""
    place = 0
    for mark in marks:
        place = content.index(mark, place) + len(mark)
    return place


DAMAGE = {
    "truncated": lambda content: content[:-100],
    "tensor": lambda content: flipped(content, behind(content, b"/data/0") + 128),
    "tensor's name": lambda content: flipped(content, behind(content, b"head.")),
    "rows": lambda content: flipped(content, behind(content, b"train_lo")),
    "losses": lambda content: flipped(content, behind(content, b"train_loss", b"G") + 2),
    "identity": lambda content: flipped(content, behind(content, b"job cod")),
}


@pytest.mark.parametrize("fate", ["other", *DAMAGE])
def test_a_checkpoint_of_another_job_or_a_damaged_one_is_logged_and_ignored(root, tmp_path, caplog, fate):
    spec = small_training(root, epochs=1)
    data = data_of(spec)
    with suppress(InterruptedError), at_work(tmp_path / "c", "job code"):
        fit_of(spec, data).run(data, 400, "seed0")
        raise InterruptedError
    file = tmp_path / "c/seed0.pt"
    if fate in DAMAGE:
        file.write_bytes(DAMAGE[fate](file.read_bytes()))
    with (
        caplog.at_level(logging.WARNING),
        at_work(tmp_path / "c", "job code" if fate in DAMAGE else "job newer"),
    ):
        fit = fit_of(spec, data)
        before = {k: v.clone() for k, v in fit.net.state_dict().items()}
        fit.run(data, 400, "seed0")
    assert ("damaged" if fate in DAMAGE else "of another specification or code") in caplog.text
    assert "ignored, training starts anew" in caplog.text
    assert any(not torch.equal(before[k], v) for k, v in fit.net.state_dict().items()), "nothing was trained"


def test_training_is_the_same_with_and_without_checkpoints(root, tmp_path):
    spec = small_training(root, arm="resnet6")
    bare = find_task("images_train.train")(dict(spec), "cpu")
    with at_work(tmp_path / "c", "x"):
        kept = find_task("images_train.train")(dict(spec), "cpu")
    assert without_measured(bare.rows) == without_measured(kept.rows)


def test_the_training_time_is_the_sum_of_the_epochs_and_99_percent_may_never_come(root):
    outcome = find_task("images_train.train")(small_training(root), "cpu")
    run = outcome.rows["runs"][0]
    assert run["train_s"] == pytest.approx(sum(e["epoch_s"] for e in outcome.rows["epochs"]))
    assert run["time_to_99_s"] is None


def test_metrics_of_a_job_do_not_tell_that_it_was_resumed(root, tmp_path):
    spec = small_training(root, epochs=1)
    run_job(spec, tmp_path / "metrics.json", code="c", root=root)
    assert set(read_metrics(tmp_path / "metrics.json")["rows"]) == {"runs", "epochs"}
    assert not (tmp_path / "checkpoint").exists()
