"""The smoke tier of two questions through a real Slurm, one node with one counted GPU."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.workflow.clone import SNAKEMAKE, copy_of_clone

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT.parent / "shared" / "tools" / "slurm_one_node.sh"
QUESTIONS = "questions=timeseries,gradients"

pytestmark = [pytest.mark.slurm, pytest.mark.dag]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[None]:
    """One node with two cores and one GPU, for as long as the tests last."""
    for program in ("slurmctld", "slurmd", "munged"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} on this machine (Debian: slurm-wlm, munge)")
    if not TOOL.is_file():
        pytest.skip(f"no {TOOL}, which sets up a cluster of one node")
    if os.geteuid() != 0:
        pytest.skip("a cluster of one node needs root")
    pytest.importorskip("snakemake_executor_plugin_slurm")
    state = {**os.environ, "STATE": str(tmp_path_factory.mktemp("slurm")), "CPUS": "2", "MEMORY_MIB": "12000"}
    up = subprocess.run(["bash", TOOL, "up"], env=state, capture_output=True, text=True, check=False)
    assert up.returncode == 0, up.stdout + up.stderr
    yield
    subprocess.run(["bash", TOOL, "down"], env=state, check=True)


@pytest.fixture(scope="module")
def submitted(cluster, smoke, tmp_path_factory) -> Path:
    """A clone with the configuration of the local run, whose smoke tier was run by Slurm."""
    folder = copy_of_clone(tmp_path_factory.mktemp("submitted"))
    shutil.copytree(smoke / "config", folder / "config", dirs_exist_ok=True)
    settings = ["--config", "tier=smoke", QUESTIONS, "gpus=always"]
    command = [
        *SNAKEMAKE,
        "--workflow-profile",
        "workflow/profiles/slurm",
        "--slurm-status-command",
        "squeue",
    ]
    command += ["--seconds-between-status-checks", "2", "--slurm-init-seconds-before-status-checks", "2"]
    done = subprocess.run(
        ["timeout", "-k", "5", "600", *command, *settings],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "sbatch" in done.stderr or "SLURM" in done.stderr
    return folder


def metrics(folder: Path) -> dict[str, dict]:
    runs = folder / "results/smoke/runs"
    return {str(p.parent.relative_to(runs)): json.loads(p.read_text()) for p in runs.glob("*/*/metrics.json")}


def test_jobs_that_need_a_gpu_take_turns_on_the_only_one(submitted):
    sources = [m["provenance"] for m in metrics(submitted).values() if m["spec"]["device"] != "cpu"]
    assert len(sources) > 5
    spans = sorted((s["begun_unix_s"], s["begun_unix_s"] + s["wall_s"]) for s in sources)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_tables_equal_those_of_a_local_run(submitted, smoke):
    theirs, mine = metrics(submitted), metrics(smoke)
    assert set(theirs) == {job for job in mine if job.split("/")[0].startswith(("timeseries", "gradients"))}
    untimed = [job for job in theirs if not theirs[job]["spec"].get("timed")]
    assert len(untimed) > 5
    for job in untimed:
        assert unmeasured(theirs[job]) == unmeasured(mine[job]), job


def unmeasured(content: dict) -> list:
    """The rows without their times; a job that measures times fits laws to them, too."""
    return [
        {name: value for name, value in row.items() if not re.search(r"(_s|peak_mib)$", name)}
        for rows in content["rows"].values()
        for row in rows
    ]
