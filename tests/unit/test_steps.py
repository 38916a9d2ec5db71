"""The server of steps: the same results as a process of its own, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from odestudy.plan import load_study
from odestudy.steps import client, server

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the server needs Linux")


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A working folder with a server, which ends with the test."""
    monkeypatch.chdir(tmp_path)
    server.start_server()
    process = server._started.pop()
    yield tmp_path
    process.stdin.close()
    assert process.wait(20) == 0


def start(folder: Path, request: dict, where: str = "here") -> subprocess.Popen[str]:
    command = [sys.executable, "-I", "-S", client.__file__, where, "step.log", json.dumps(request)]
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


def test_a_step_dies_with_its_client(place, root):
    long = job(root, "metrics.json", "dynamics_unstable/")
    asked = start(place, long)
    assert wait_for(lambda: len(descendants()) == 4), "client, server, supervisor and step"
    asked.send_signal(signal.SIGKILL)
    asked.wait()
    assert wait_for(lambda: len(descendants()) == 1), "more than the server is left"
    assert not (place / "metrics.json").exists()


def descendants() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def wait_for(condition, seconds: float = 20.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found
