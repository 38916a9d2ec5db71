"""Two questions of the smoke tier once more: on one core, and killed on the way; equal metrics, bit for bit."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from odestudy.measure.store import read_arrays, read_metrics
from tests.workflow.clone import copy_of_clone, run
from tests.workflow.disturbed import start, wait_for

pytestmark = pytest.mark.dag
QUESTIONS = ("timeseries", "gradients")
TARGETS = [f"results/smoke/{question}.done" for question in QUESTIONS]


def test_one_core_and_a_kill_on_the_way_give_the_metrics_of_an_undisturbed_run(smoke, tmp_path):
    folder = copy_of_clone(tmp_path)
    shutil.copytree(smoke / "config", folder / "config", dirs_exist_ok=True)
    found = folder / "results/smoke/runs"
    snakemake = start(folder, "--cores", "1", *TARGETS)
    wait_for(lambda: len(list(found.rglob("metrics.json"))) >= 4, 300)
    snakemake.kill()
    snakemake.wait()
    before = {path: path.stat().st_ino for path in found.rglob("metrics.json")}
    run(folder, "--cores", "1", *TARGETS)
    assert {path: path.stat().st_ino for path in before} == before, "a job that was finished was repeated"
    jobs = [path.relative_to(found) for path in sorted(found.rglob("metrics.json"))]
    assert len(jobs) > len(before)
    measured = measured_names(folder)
    for job in jobs:
        here, there = found / job, smoke / "results/smoke/runs" / job
        assert unmeasured(read_metrics(here)["rows"], measured) == unmeasured(
            read_metrics(there)["rows"], measured
        )
        mine, theirs = (unmeasured(read_arrays(path), measured) for path in (here, there))
        assert set(mine) == set(theirs)
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name], err_msg=f"{job}: {name}")


def measured_names(folder: Path) -> set[str]:
    """The columns that depend on the machine's speed."""
    files = (folder / f"config/questions/{question}.yaml" for question in QUESTIONS)
    columns = [item for file in files for item in yaml.safe_load(file.read_text())["columns"].items()]
    return {name for name, about in columns if about.get("measured")}


def unmeasured(value: Any, measured: set[str]) -> Any:
    """Without what is measured, and without fits to it, at any depth."""

    def depends(name: str) -> bool:
        return name in measured or bool(re.search(r"(_s|peak_mib)$", name))

    if isinstance(value, dict):
        return {k: unmeasured(v, measured) for k, v in value.items() if not depends(k)}
    if isinstance(value, list):
        rows = (row for row in value if not (isinstance(row, dict) and depends(str(row.get("measure")))))
        return [unmeasured(row, measured) for row in rows]
    return value
