"""The server of steps: the same results as a process of its own, and nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from odestudy.runtime.outcome import STATUSES
from odestudy.runtime.provenance import package_versions
from odestudy.runtime.store import read_metrics
from odestudy.steps import client, server
from odestudy.study import load_study

LONG = "dynamics_unstable/"  # a job that takes seconds
KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)  # as the step's own process, or as what stands for it

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the server needs Linux")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[Path]:
    """A working folder with a server, which ends with the tests."""
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        server.start_server()
        process = server._started.pop()
        yield folder
        process.stdin.close()
        assert process.wait(20) == 0


@pytest.fixture
def own() -> Callable[[], list[psutil.Process]]:
    """The processes that a test has started."""
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    return lambda: [p for p in psutil.Process().children(recursive=True) if p.pid not in before]


def start(folder: Path, request: dict, where: str = "here", limit_s: str = "600") -> subprocess.Popen[str]:
    command = [sys.executable, "-I", "-S", client.__file__, where, limit_s, "step.log", json.dumps(request)]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip


def job(root: Path, metrics: str, name: str = "gradients_error/") -> dict:
    found = load_study(root, "smoke").jobs
    spec = next(job.spec for folder, job in found.items() if folder.startswith(name))
    return {"step": "job", "spec": spec, "code": "of a test", "metrics": metrics}


def test_a_job_gives_the_same_bits_as_in_a_process_of_its_own(place, root):
    assert start(place, job(root, "forked/metrics.json")).wait(120) == 0
    assert start(place, job(root, "fresh/metrics.json"), "fresh").wait(120) == 0
    forked, fresh = (json.loads((place / kind / "metrics.json").read_text()) for kind in ("forked", "fresh"))
    unmeasured = [
        [{k: v for k, v in row.items() if not k.endswith(("_s", "_mib"))} for row in rows]
        for content in (forked, fresh)
        for rows in content["rows"].values()
    ]
    half = len(unmeasured) // 2
    assert half > 0
    assert unmeasured[:half] == unmeasured[half:]
    assert forked["provenance"]["process_s"] < fresh["provenance"]["process_s"]


def test_an_error_of_a_step_is_its_exit_status_and_its_traceback_is_in_the_log(place):
    step = start(place, {"step": "nothing", "run": "smoke", "overrides": {}})
    said = step.communicate(timeout=60)[1]
    assert step.returncode == 1
    assert "odestudy: " in said or "Traceback" in said
    assert (place / "step.log").read_text()


def test_without_a_server_the_step_is_taken_all_the_same(tmp_path, root):
    assert start(tmp_path, job(root, "metrics.json")).wait(120) == 0
    assert (tmp_path / "metrics.json").is_file()


@pytest.mark.parametrize("fresh", [False, True])
def test_a_step_dies_with_its_client(place, own, root, fresh):
    asked = start(place, job(root, "of_client/metrics.json", LONG) | {"fresh": fresh})
    assert wait_for(lambda: len(own()) == 3), "client, supervisor and step"
    running = own()  # later one may be nobody's child
    asked.send_signal(signal.SIGKILL)
    asked.wait()
    assert wait_for(lambda: not any(map(is_alive, running))), "something is left"
    assert not (place / "of_client/metrics.json").exists()


@pytest.mark.parametrize("fresh", [False, True])
def test_a_step_that_fails_gives_its_own_status(place, root, fresh):
    request = job(root, "fails/metrics.json") | {"fresh": fresh}
    request["spec"] = request["spec"] | {"task": "gradients_error.nothing"}
    step = start(place, request)
    assert "unknown; allowed: gradients_error.tolerance" in step.communicate(timeout=60)[1]
    assert step.returncode == 1


def test_a_job_that_was_done_is_not_repeated(place, root):
    request = job(root, "done/metrics.json")
    metrics = place / "done/metrics.json"
    assert start(place, request).wait(120) == 0
    written = metrics.stat()
    assert start(place, request).wait(120) == 0
    assert (metrics.stat().st_mtime_ns, metrics.stat().st_ino) == (written.st_mtime_ns, written.st_ino)
    assert "done before" in (place / "step.log").read_text()
    assert start(place, request | {"code": "newer"}).wait(120) == 0
    assert metrics.stat().st_ino != written.st_ino


@pytest.mark.parametrize("fresh", [False, True])
def test_a_step_dies_with_its_run(tmp_path, monkeypatch, own, root, fresh):
    monkeypatch.chdir(tmp_path)
    server.start_server()
    run = server._started.pop()
    asked = start(tmp_path, job(root, "metrics.json", LONG) | {"fresh": fresh})
    assert wait_for(lambda: len(own()) == 4), "server, supervisor, client and step"
    run.stdin.close()  # as the end of the run's process does
    assert asked.wait(20) in KILLED
    assert run.wait(20) == 0
    assert wait_for(lambda: not own()), "something is left"


@pytest.mark.parametrize("fresh", [False, True])
def test_a_job_over_its_time_limit_is_ended_and_that_is_its_outcome(place, own, root, fresh):
    request = job(root, f"limit{fresh}/metrics.json", LONG)
    step = start(place, request | {"fresh": fresh}, limit_s="1.5")
    said = step.communicate(timeout=60)[1]
    assert step.returncode == 0
    assert "step: ended, since it took longer than 0.025 min (job_limit_min" in said
    assert said.splitlines()[-1] in (place / "step.log").read_text()
    assert wait_for(lambda: not own()), "something is left"
    found = read_metrics(place / request["metrics"])
    assert (found["spec"], found["code"]) == (request["spec"], request["code"])
    assert [row["seed"] for row in found["rows"]["runs"]] == request["spec"]["seeds"]
    assert {row["status"] for row in found["rows"]["runs"]} == {"timeout"} <= set(STATUSES)
    assert 1.4 < found["provenance"]["wall_s"] < 10
    assert found["provenance"]["process_peak_mib"] > 10
    assert found["provenance"]["versions"] == package_versions()


def test_another_step_over_its_time_limit_is_ended_and_says_so(place, root):
    shutil.copytree(root / "config", place / "config")
    shutil.copytree(root / "workflow", place / "workflow")
    request = {"step": "figure", "run": "smoke", "overrides": {}, "name": "images_nfe"}
    step = start(place, request, limit_s="0.001")
    said = step.communicate(timeout=60)[1]
    assert step.returncode in KILLED
    assert "took longer than" in said
    assert "recorded" not in said


def test_a_step_that_is_killed_says_by_what(place, own, root):
    step = start(place, job(root, "killed/metrics.json", LONG))
    assert wait_for(lambda: len(own()) == 3)
    max(own(), key=lambda process: process.create_time()).kill()
    assert "ended by SIGKILL, as the system does when memory runs out" in step.communicate(timeout=20)[1]
    assert step.returncode == 128 + signal.SIGKILL


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(condition, seconds: float = 20.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found
