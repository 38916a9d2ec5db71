"""Batches: which jobs share a process, and that sharing it changes no result and loses none."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from odestudy.runtime.batch import run_batch
from odestudy.runtime.orphan import RUN
from odestudy.runtime.outcome import STATUSES
from odestudy.runtime.peak import peak_mib, reset_peak
from odestudy.runtime.provenance import package_versions
from odestudy.runtime.store import read_arrays, read_metrics
from odestudy.study import Study, load_study

LONG = "dynamics_unstable/"  # a job that takes seconds
SCRIPT = (
    "import json, sys; from odestudy.runtime.batch import run_batch;"
    "run_batch(json.loads(sys.argv[1]), 'batch.log', float(sys.argv[2]))"
)


@pytest.fixture(scope="module")
def smoke_study(root) -> Study:
    return load_study(root, "smoke")


def order(study: Study, beginning: str, metrics: str) -> dict[str, Any]:
    """The first job whose folder begins so, to be written into a folder of the test."""
    spec = next(job.spec for folder, job in study.jobs.items() if folder.startswith(beginning))
    return {"spec": spec, "code": "of a test", "metrics": f"{metrics}/metrics.json"}


def start(folder: Path, *jobs: dict[str, Any], limit_s: float = 600.0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, json.dumps(jobs), str(limit_s)]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)


def run(folder: Path, *jobs: dict[str, Any], limit_s: float = 600.0) -> tuple[int, str]:
    """(exit status, what was said to the user)."""
    process = start(folder, *jobs, limit_s=limit_s)
    said = process.communicate(timeout=240)[1]
    return process.returncode, said


@pytest.mark.parametrize("tier", ["smoke", "quick", "cpu", "full"])
def test_each_job_is_in_one_batch_with_its_like_and_no_more_than_configured(root, tier):
    study = load_study(root, tier)
    batches = study.batches
    inside = Counter(job.folder for batch in batches for job in batch.jobs)
    assert inside == Counter(dict.fromkeys(study.jobs, 1))
    assert len({batch.name for batch in batches}) == len(batches)
    most: dict[str, int] = {}  # of the first experiment that has the job
    for name, jobs in study.jobs_by.items():
        for job in jobs:
            most.setdefault(job.folder, study.per_process[name])
    for batch in batches:
        modules = {job.module for job in batch.jobs}
        assert len(modules) == 1 or study.tier["modules_together"]
        assert batch.name.rpartition("_")[0] in (modules if len(modules) == 1 else {batch.question})
        assert {module.split("_")[0] for module in modules} == {batch.question}
        for job in batch.jobs:
            about = (job.spec["threads"], bool(job.spec.get("timed")), job.spec["device"])
            assert about == (batch.threads, batch.timed, batch.device)
            assert len(batch.jobs) <= most[job.folder]
    assert [batch.name for batch in load_study(root, tier).batches] == [batch.name for batch in batches]


def test_what_measures_time_has_a_process_of_its_own_unless_it_says_otherwise(root, edit):
    assert all(len(batch.jobs) == 1 for batch in load_study(root, "quick").batches if batch.timed)
    folder = edit("config/questions/images.yaml", lambda d: d["experiments"]["cost"].update(per_process=3))
    cost = [b for b in load_study(folder, "quick").batches if b.name.startswith("images_cost")]
    assert max(len(batch.jobs) for batch in cost) == 3
    edit("config/tiers/quick.yaml", lambda d: d["questions"]["images"].update(cost={"per_process": 2}))
    cost = [b for b in load_study(folder, "quick").batches if b.name.startswith("images_cost")]
    assert max(len(batch.jobs) for batch in cost) == 2


def test_a_job_gives_the_same_bits_after_others_as_alone(tmp_path, smoke_study):
    def jobs(place: str) -> list[dict[str, Any]]:
        names = ("density_gap/", "dynamics/", "images_train/", "timeseries/", "gradients_error/")
        return [order(smoke_study, name, f"{place}/{name}") for name in names]

    together, apart = jobs("together"), jobs("apart")
    assert run(tmp_path, *together) == (0, "")
    for job in apart[1:]:
        assert run(tmp_path, job) == (0, "")
    for one, other in zip(together[1:], apart[1:], strict=True):
        found, wanted = (read_metrics(tmp_path / job["metrics"])["rows"] for job in (one, other))
        assert unmeasured(found) == unmeasured(wanted)
        here, there = (read_arrays(tmp_path / job["metrics"]) for job in (one, other))
        assert set(here) == set(there)
        for name in here:
            if not name.endswith("_s"):
                np.testing.assert_array_equal(here[name], there[name], err_msg=name)


def unmeasured(rows: dict[str, Any]) -> Any:
    return [
        [{k: v for k, v in row.items() if not k.endswith(("_s", "_mib", "noisy"))} for row in kind]
        for kind in rows.values()
    ]


def test_a_job_that_fails_leaves_the_others_and_its_traceback(tmp_path, smoke_study):
    broken, missing, fine = (
        order(smoke_study, "images_sizes/", name) for name in ("broken", "missing", "fine")
    )
    broken["spec"] = {"task": "images_sizes.sizes"} | {k: v for k, v in broken["spec"].items() if k != "arm"}
    missing["spec"] = missing["spec"] | {"task": "images_sizes.nothing"}
    status, said = run(tmp_path, broken, missing, fine)
    assert status == 1
    assert (tmp_path / fine["metrics"]).is_file()
    assert not (tmp_path / broken["metrics"]).exists()
    first, second = said.splitlines()
    assert first.startswith("odestudy: broken: ValidationError")
    assert "its traceback is in batch.log" in first
    assert "unknown; allowed: " in second
    assert "images_sizes.sizes" in second
    log = (tmp_path / "batch.log").read_text()
    assert log.count("Traceback") == 1
    assert second in log


def test_a_job_that_was_done_is_not_repeated_unless_its_code_or_its_files_are_others(
    tmp_path, smoke_study, monkeypatch
):
    job = order(smoke_study, "images_sizes/", "done")
    metrics = tmp_path / job["metrics"]
    monkeypatch.chdir(tmp_path)

    def inode() -> int:
        run_batch([job], "batch.log", 600.0)  # here: to start a process takes longer than the job
        return metrics.stat().st_ino

    first = inode()
    assert inode() == first
    assert "done before" in (tmp_path / "batch.log").read_text()
    metrics.with_name("arrays.npz").unlink()
    second = inode()
    assert second != first
    assert metrics.with_name("arrays.npz").is_file()
    job["code"] = "newer"
    assert inode() != second


def test_a_job_over_its_time_limit_has_that_as_its_outcome_and_the_rest_goes_on(tmp_path, smoke_study):
    late, fine = order(smoke_study, "images_train/", "late"), order(smoke_study, "images_sizes/", "fine")
    late["spec"] = late["spec"] | {"seeds": [0, 7], "epochs": 10**6}
    assert run(tmp_path, fine) == (0, "")  # on a busy machine it, too, may take longer than the limit
    process = start(tmp_path, late, fine, limit_s=0.6)
    said = process.communicate(timeout=240)[1]
    assert process.returncode == 0
    assert said == (
        "odestudy: late: ended, since it took longer than 0.01 min (job_limit_min in config/study.yaml); "
        "recorded as timeout\n"
    )
    log = (tmp_path / "batch.log").read_text()
    assert (
        log.index("late: begun")
        < log.index(said)
        < log.index("late: done before")
        < log.rindex("fine: done before")
    )
    found = read_metrics(tmp_path / late["metrics"])
    assert (found["spec"], found["code"]) == (late["spec"], late["code"])
    assert [row["seed"] for row in found["rows"]["runs"]] == [0, 7]
    assert {row["status"] for row in found["rows"]["runs"]} == {"timeout"} <= set(STATUSES)
    assert found["provenance"]["wall_s"] > 0.6
    assert found["provenance"]["process_peak_mib"] > 10
    assert found["provenance"]["versions"] == package_versions()


def test_a_batch_that_is_killed_goes_on_with_the_same_command(tmp_path, smoke_study):
    jobs = [order(smoke_study, "images_sizes/", "first"), order(smoke_study, LONG, "second")]
    process = start(tmp_path, *jobs)
    wait_for((tmp_path / jobs[0]["metrics"]).exists)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    before = (tmp_path / jobs[0]["metrics"]).stat().st_ino
    assert not (tmp_path / jobs[1]["metrics"]).exists()
    assert run(tmp_path, *jobs) == (0, "")
    assert (tmp_path / jobs[0]["metrics"]).stat().st_ino == before
    assert (tmp_path / jobs[1]["metrics"]).is_file()


def wait_for(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_another_step_over_its_time_limit_says_so_and_fails(tmp_path):
    script = (
        "import time; from odestudy.runtime.log import logged\n"
        "with logged('logs/tables/images.log', 0.3):\n    print('begun', flush=True); time.sleep(60)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    line = (
        "odestudy: images: ended, since it took longer than 0.005 min (job_limit_min in config/study.yaml)\n"
    )
    assert (done.returncode, done.stderr, done.stdout) == (1, line, "")
    assert (tmp_path / "logs/tables/images.log").read_text() == "begun\n" + line


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is that of the whole process")
def test_the_peak_of_memory_is_counted_anew_for_each_job():
    reset_peak()
    before = peak_mib()
    block = np.ones(2**24)
    assert peak_mib() > before + 100
    del block
    reset_peak()
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("this kernel does not reset the peak")
    assert peak_mib() < before + 64


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux")
@pytest.mark.parametrize("ending", ["run", "shell"])
def test_a_process_of_a_run_ends_with_the_run_and_with_the_shell_between(ending):
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    waiting = (
        "from odestudy.runtime.orphan import end_with_run; import time; end_with_run();"
        "print('begun', flush=True); time.sleep(60); print('too late')"
    )
    with subprocess.Popen(sleeping) as of_run:
        shell = subprocess.Popen(
            ["bash", "-c", f"{shlex.quote(sys.executable)} -c {shlex.quote(waiting)}; true"],
            env=os.environ | {RUN: str(of_run.pid)},
            stdout=subprocess.PIPE,
        )
        assert shell.stdout is not None
        assert shell.stdout.readline() == b"begun\n"
        (of_run if ending == "run" else shell).kill()
        assert shell.stdout.read() == b""  # until nobody holds it any more
        shell.wait()
        of_run.kill()
