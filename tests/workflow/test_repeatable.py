"""The smoke tier once more: in another folder, on one core, all its processes killed on the way.

The metrics equal those of the undisturbed run on all cores bit for bit, except what depends on the machine's speed.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from odestudy.runtime.store import read_arrays, read_metrics
from tests.workflow.clone import copy_of_clone, run
from tests.workflow.disturbed import Watcher, start, wait_for

pytestmark = pytest.mark.dag
QUESTIONS = ("dynamics", "images", "density", "timeseries", "gradients")
KILLED_AFTER = (4, 30)  # so many finished jobs


@pytest.mark.slow
def test_one_core_and_kills_on_the_way_give_the_metrics_of_an_undisturbed_run(smoke, tmp_path):
    folder = copy_of_clone(tmp_path)
    shutil.copytree(smoke / "config", folder / "config", dirs_exist_ok=True)
    found, wanted = folder / "results/smoke/runs", smoke / "results/smoke/runs"
    arguments = ("--cores", "1", "--config", "tier=smoke", "--", "results/smoke/tables/jobs.csv")
    with Watcher(folder / "results") as seen:
        for done in KILLED_AFTER:
            snakemake = start(folder, *arguments, start_new_session=True)
            wait_for(lambda done=done: len(seen.finished) >= done)
            os.killpg(snakemake.pid, signal.SIGKILL)
            snakemake.wait()
        run(folder, *arguments)
        seen.look()
    assert not seen.repeated, "a job that was finished was repeated"
    assert not seen.broken, "a half-written file was there to be read"
    now = sorted(found.rglob("metrics.json"))
    there = {path.relative_to(found) for path in now}
    assert there == {path.relative_to(wanted) for path in wanted.rglob("metrics.json")}
    measured = measured_names(folder)
    compared = 0
    for path in now:
        theirs = wanted / path.relative_to(found)
        if by_speed(read_metrics(path)["spec"]):
            continue
        compared += 1
        assert unmeasured(read_metrics(path)["rows"], measured) == unmeasured(
            read_metrics(theirs)["rows"], measured
        ), path
        here, there = (unmeasured(read_arrays(metrics), measured) for metrics in (path, theirs))
        assert set(here) == set(there)
        for name in here:
            np.testing.assert_array_equal(here[name], there[name], err_msg=f"{path}: {name}")
    assert compared > 0.8 * len(now)


def by_speed(spec: dict[str, Any]) -> bool:
    """Whether all of a job's results depend on the machine's speed: it trains until a time is up."""
    return spec["task"] == "density_fit.in_time"


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
