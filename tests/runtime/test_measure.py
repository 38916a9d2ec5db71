"""Stored metrics, memory, devices: whole or not at all."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import time
import warnings
from itertools import pairwise

import numpy as np
import psutil
import pytest
import torch

from odestudy.errors import DataError
from odestudy.measure import clock
from odestudy.measure.determinism import nondeterministic_operations
from odestudy.measure.device import free_gpu, visible_gpus
from odestudy.measure.memory import peak_mib, saved_for_backward_mib
from odestudy.runtime import store
from odestudy.runtime.files import plain, write_atomically
from odestudy.runtime.provenance import commit, machine, package_versions
from odestudy.runtime.store import is_current, read_arrays, read_metrics, write_metrics

METRICS = {"spec": {}, "rows": {"runs": []}, "provenance": {}, "code": "x"}


def test_metrics_come_back_as_they_were(tmp_path):
    rows = {
        "runs": [{"seed": 0, "status": "ok", "x": np.float64(1 / 3), "n": np.int64(4), "bad": float("nan")}]
    }
    arrays = {"z": np.arange(6.0).reshape(2, 3), "right": np.array([True, False])}
    write_metrics(tmp_path / "metrics.json", METRICS | {"rows": rows}, arrays)
    row = read_metrics(tmp_path / "metrics.json")["rows"]["runs"][0]
    assert row == {"seed": 0, "status": "ok", "x": 1 / 3, "n": 4, "bad": None}
    back = read_arrays(tmp_path / "metrics.json")
    assert all(np.array_equal(back[k], arrays[k]) and back[k].dtype == arrays[k].dtype for k in arrays)


def test_the_same_metrics_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_metrics(tmp_path / name / "metrics.json", METRICS, {"z": np.arange(5)})
    assert (tmp_path / "a/arrays.npz").read_bytes() == (tmp_path / "b/arrays.npz").read_bytes()


def test_metrics_are_not_there_before_their_arrays(tmp_path, monkeypatch):
    def full(path, content):
        if path.name == "arrays.npz":
            raise OSError(28, "No space left on device")
        write_atomically(path, content)

    monkeypatch.setattr(store, "write_atomically", full)
    with pytest.raises(OSError, match="space"):
        write_metrics(tmp_path / "metrics.json", METRICS, {"z": np.arange(5)})
    assert list(tmp_path.iterdir()) == []


def test_what_json_cannot_hold_is_a_programming_error():
    with pytest.raises(TypeError, match="Tensor"):
        plain({"x": torch.zeros(1)})


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    write_atomically(path, b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        write_atomically(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", json.dumps({"spec": {}}), json.dumps(METRICS | {"format": 99})]
)
def test_a_damaged_metrics_file_says_how_to_mend_it(tmp_path, text):
    (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(DataError, match="delete its folder"):
        read_metrics(tmp_path / "metrics.json")


def test_metrics_that_were_edited_by_hand_are_refused_and_not_current(tmp_path):
    path = tmp_path / "metrics.json"
    write_metrics(path, METRICS | {"rows": {"runs": [{"seed": 0, "error": 0.25}]}}, {})
    assert is_current(path, "x")
    assert not is_current(path, "y")
    edited = json.loads(path.read_text().replace("0.25", "0.05"))
    unsealed = {key: value for key, value in edited.items() if key != "seal"}
    for content in (edited, unsealed):
        path.write_text(json.dumps(content))
        with pytest.raises(DataError, match=r"altered since it was written; delete its folder"):
            read_metrics(path)
        assert not is_current(path, "x")


@pytest.mark.parametrize("kept", [0, 10, 200])
def test_damaged_arrays_are_refused_in_one_line(tmp_path, kept):
    path = tmp_path / "metrics.json"
    write_metrics(path, METRICS, {"z": np.random.default_rng(0).normal(size=100)})
    file = tmp_path / "arrays.npz"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"arrays.npz: damaged .*; delete its folder") as caught:
        read_arrays(path)
    assert "\n" not in str(caught.value)


def test_one_flipped_bit_of_the_arrays_is_found(tmp_path):
    path = tmp_path / "metrics.json"
    write_metrics(path, METRICS, {"z": np.random.default_rng(0).normal(size=100)})
    file = tmp_path / "arrays.npz"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"arrays.npz: damaged"):
        read_arrays(path)


def test_saved_memory_counts_each_storage_once_and_no_parameters():
    x = torch.randn(1024, 256)
    weight = torch.nn.Parameter(torch.randn(256, 256))
    hidden = (x @ weight).detach().requires_grad_()
    assert saved_for_backward_mib(lambda: (hidden.exp() * 2).sum()) == pytest.approx(1.0)
    assert saved_for_backward_mib(lambda: (x @ weight).sum()) == pytest.approx(1.0)  # x itself


def test_peak_memory_sees_what_is_allocated():
    peak = peak_mib(lambda: torch.ones(64 * 2**18).mul(2).sum(), "cpu")  # two of 64 MiB
    assert 100 < peak < 200


def test_visible_devices_are_counted_from_the_environment(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2,GPU-abc")
    assert visible_gpus() == 3
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert visible_gpus() == 0


def _hold(folder, queue, release, share=1):
    with free_gpu(2, folder, share) as index:
        queue.put(index)
        release.wait(20)


def test_jobs_that_run_at_once_get_different_gpus_and_the_third_waits(tmp_path):
    context = multiprocessing.get_context("fork")
    queue, releases = context.Queue(), [context.Event() for _ in range(3)]
    workers = [context.Process(target=_hold, args=(tmp_path, queue, r)) for r in releases]
    workers[0].start(), workers[1].start()
    assert {queue.get(timeout=20), queue.get(timeout=20)} == {0, 1}
    workers[2].start()
    workers[2].join(0.5)
    assert queue.empty(), "a third job got a GPU that is taken"
    for release in releases:
        release.set()
    assert queue.get(timeout=20) in (0, 1)
    for worker in workers:
        worker.join(20)


def test_as_many_jobs_as_share_a_gpu_spread_over_all_of_them_before_the_next_waits(tmp_path):
    context = multiprocessing.get_context("fork")
    queue, release = context.Queue(), context.Event()
    workers = [context.Process(target=_hold, args=(tmp_path, queue, release, 2)) for _ in range(5)]
    taken = []
    for worker in workers[:4]:
        worker.start()
        taken.append(queue.get(timeout=20))
    assert taken == [0, 1, 0, 1]
    workers[4].start()
    workers[4].join(0.5)
    assert queue.empty(), "a fifth job got a place that is taken"
    release.set()
    assert queue.get(timeout=20) in (0, 1)
    for worker in workers:
        worker.join(20)


def _work(folder):
    with free_gpu(3, folder) as index:
        begun = time.monotonic()
        time.sleep(0.03)
        return index, begun, time.monotonic()


def test_jobs_spread_over_the_gpus_and_no_two_hold_one_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6,GPU-abc")
    with multiprocessing.get_context("fork").Pool(5) as pool:  # more at a time than the scheduler would allow
        held = pool.map(_work, [tmp_path] * 30, chunksize=1)
    assert {path.name for path in tmp_path.iterdir()} == {"4.lock", "6.lock", "GPU-abc.lock"}
    for index in range(3):
        spans = sorted((begun, ended) for device, begun, ended in held if device == index)
        assert len(spans) > 3, "a device was hardly used"
        assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_provenance_names_versions_and_commit(root, tmp_path):
    assert package_versions()["torch"].startswith("2.")
    commit.cache_clear()
    assert commit(tmp_path) == {"commit": None, "clean": None}
    commit.cache_clear()


def test_provenance_tells_the_machine():
    found = machine()
    assert found["cores"] == os.cpu_count()
    assert found["memory_gib"] == pytest.approx(psutil.virtual_memory().total / 2**30, abs=0.05)
    assert platform.release() in found["system"]
    assert found["blas"] in ("mkl", "open", "accelerate", "generic", "unknown", "blis", "flexiblas", "nvpl")


def test_operations_without_a_deterministic_implementation_are_listed_and_shown_once():
    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as shown, nondeterministic_operations() as found:
            for _ in range(3):
                torch.zeros(4).put_(torch.tensor([1]), torch.tensor([2.0]))
            torch.ones(4).sum()
    finally:
        torch.set_deterministic_debug_mode(before)
    assert found == {"put_"}
    assert len(shown) == 1


# --- the clock


class Disturbed:
    """A clock that work moves by given times, 1 s where none is given any more."""

    def __init__(self, *times):
        self.now, self.times = 0.0, list(times)

    def __call__(self, device="cpu"):
        return self.now

    def work(self):
        self.now += self.times.pop(0) if self.times else 1.0


@pytest.fixture
def patient(monkeypatch):
    """The limit on time further sets may take does not matter here."""
    monkeypatch.setattr(clock, "AGAIN_S", float("inf"))


def timed(monkeypatch, *times, repeats=4):
    disturbed = Disturbed(*times)
    monkeypatch.setattr(clock, "now_s", disturbed)
    return clock.time_repeats(disturbed.work, "cpu", repeats=repeats, warmup=0), disturbed


def test_a_quiet_timing_is_taken_once(monkeypatch):
    found, disturbed = timed(monkeypatch, 1.0, 1.0, 1.05, 1.0)
    assert not found["noisy"]
    assert disturbed.now == pytest.approx(4.05)


def test_a_disturbed_timing_is_taken_again_until_it_is_quiet(monkeypatch, patient):
    found, disturbed = timed(monkeypatch, 1.0, 2.0, 1.0, 3.0, 1.0, 1.0, 2.0, 2.0)
    assert found == {"wall_s": 1.0, "wall_q1_s": 1.0, "wall_q3_s": 1.0, "noisy": False}
    assert disturbed.now == pytest.approx(7 + 6 + 4)  # the third set was quiet


def test_a_timing_that_does_not_become_quiet_says_so_with_the_least_spread(monkeypatch, patient):
    found, disturbed = timed(monkeypatch, *([1.0, 3.0] * 2), *([1.0, 1.5] * 2), *([1.0, 3.0] * 4))
    assert found["noisy"]
    assert (found["wall_q1_s"], found["wall_s"], found["wall_q3_s"]) == (1.0, 1.25, 1.5)
    assert disturbed.now == pytest.approx(8 + 5 + 8 + 8)  # four sets


def test_no_further_set_begins_when_the_time_for_them_is_over(monkeypatch):
    monkeypatch.setattr(clock, "AGAIN_S", 0.0)
    found, disturbed = timed(monkeypatch, *([1.0, 3.0] * 10))
    assert found["noisy"]
    assert disturbed.now == pytest.approx(8)


def test_a_single_repeat_does_not_say_whether_it_is_noisy(monkeypatch):
    found, _ = timed(monkeypatch, 1.0, repeats=1)
    assert found == {"wall_s": 1.0, "wall_q1_s": 1.0, "wall_q3_s": 1.0}
