"""A results folder that is full, or cannot be written: one line says so, and when it is mended the run goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.workflow.clone import copy_of_clone, run
from tests.workflow.disturbed import TABLE, Watcher, unmeasured, without_others

pytestmark = pytest.mark.dag
SMALL = "results/smoke/done/images_sizes_1"


@pytest.fixture
def disk(tmp_path) -> Iterator[tuple[Path, Callable[[str], None]]]:
    """A clone whose results lie on a disk of their own, and how to change its options."""
    folder = copy_of_clone(tmp_path)
    tier = folder / "config/tiers/smoke.yaml"
    content = yaml.safe_load(tier.read_text())
    train = {"base": {"epochs": 2, "train_size": 128}, "grid": {"arm": ["resnet6", "odenet_backprop"]}}
    content["questions"]["images"] = without_others(folder) | {"sizes": {}, "train": train}
    tier.write_text(yaml.safe_dump(content))
    results = folder / "results"
    results.mkdir()
    if os.geteuid() != 0 or not mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", str(results)):
        pytest.skip("mounting a small disk is not allowed here")

    def change(options: str) -> None:
        assert mount("-o", f"remount,{options}", str(results))

    yield folder, change
    subprocess.run(["umount", "--lazy", results], check=True)


def mount(*words: str) -> bool:
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0


def test_a_full_disk_is_told_in_the_job_and_the_rest_goes_on(disk):
    folder, change = disk
    run(folder, TABLE)
    whole = unmeasured(folder, TABLE, "images")
    shutil.rmtree(folder / "results/smoke")
    change("size=320k")  # has room for small metrics, and none for a checkpoint
    full = run(folder, TABLE, check=False)
    assert full.returncode != 0
    assert "No space left on device; make room" in full.stderr
    assert "OSError" not in full.stderr
    assert (folder / SMALL).is_file()
    assert not (folder / TABLE).exists()
    look = Watcher(folder / "results")
    look.look()
    assert look.finished
    assert not look.broken
    change("size=64m")
    run(folder, TABLE)
    pd.testing.assert_frame_equal(unmeasured(folder, TABLE, "images"), whole, check_exact=True)


def test_a_folder_that_cannot_be_written_is_refused_in_one_line_before_any_job(disk):
    folder, change = disk
    change("ro")
    done = run(folder, SMALL, check=False)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if line.startswith("odestudy:")]
    assert said == [f"odestudy: {folder / 'results'}: cannot be written (Read-only file system)"]
    assert "Traceback" not in done.stderr
