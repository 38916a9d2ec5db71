"""A run is published, shown again from its packed results, and verified."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from odestudy.publication.manifest import write_manifest
from odestudy.runtime.packed import Packed, read_packed, write_packed
from odestudy.runtime.store import seal
from tests.workflow.clone import copy_of_clone

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = "images,timeseries"  # of what is published

pytestmark = pytest.mark.dag


def odestudy(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "odestudy.cli.main", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def sealed(content: dict) -> dict:
    """Metrics as if a job had written them so."""
    return content | {"seal": seal(content)}


@pytest.fixture(scope="module")
def clone(smoke, tmp_path_factory):
    """A copy of the clone with a finished run, of which two questions are published; and where they are."""
    folder = copy_of_clone(tmp_path_factory.mktemp("clone"))
    (folder / "results").mkdir()
    (folder / "results/smoke").symlink_to(smoke / "results/smoke")
    for name in ("config/systems.yaml", "config/tiers/smoke.yaml"):
        shutil.copy(smoke / name, folder / name)
    done = odestudy(folder, "publish", "--tier", "smoke", "--questions", QUESTIONS)
    assert done.stdout == "results/published/smoke-cpu\n", done.stderr
    return folder, folder / "results/published/smoke-cpu"


def test_a_published_run_holds_packed_results_and_the_ledger_only(clone):
    _, published = clone
    files = {p.relative_to(published).as_posix() for p in published.rglob("*") if p.is_file()}
    packed = {
        f"{kind}/{q}.{end}"
        for q in QUESTIONS.split(",")
        for kind, end in (("metrics", "json.xz"), ("arrays", "npz"))
    }
    assert files == packed | {"ledger.csv", "manifest.sha256"}


def test_the_same_run_published_again_gives_the_same_bytes(clone):
    folder, published = clone
    before = {p: p.read_bytes() for p in published.rglob("*") if p.is_file()}
    assert odestudy(folder, "publish", "--tier", "smoke", "--questions", QUESTIONS).returncode == 0
    assert {p: p.read_bytes() for p in published.rglob("*") if p.is_file()} == before


def test_what_was_published_compares_as_reproduced(clone, tmp_path):
    folder, published = clone
    found = tmp_path / "found.json"
    assert odestudy(folder, "compare", "results/smoke", str(published), "--json", str(found)).returncode == 0
    rows = json.loads(found.read_text())["metrics"]
    compared = [row["outcome"] for row in rows if row["table"].startswith(tuple(QUESTIONS.split(",")))]
    assert len(compared) > 100
    assert set(compared) == {"reproduced"}


def test_a_changed_metric_is_found_even_where_the_sums_are_forged(clone, tmp_path):
    folder, published = clone
    copy = tmp_path / published.name
    shutil.copytree(published, copy)
    assert odestudy(folder, "verify", str(copy)).returncode == 0
    results = read_packed(copy)["images"]
    for job in results.metrics:
        if job.startswith("images_sizes/mnist-odenet"):
            for row in results.metrics[job]["rows"]["runs"]:
                row["parameters"] *= 1.001
    write_packed(copy, "images", results)
    altered = odestudy(folder, "verify", str(copy))
    assert (altered.returncode, altered.stdout.splitlines()[0]) == (1, "altered: metrics/images.json.xz")
    write_manifest(copy)
    unsealed = odestudy(folder, "verify", str(copy))
    assert (unsealed.returncode, unsealed.stderr.count("\n")) == (2, 1)
    assert "altered since it was computed" in unsealed.stderr
    write_packed(copy, "images", Packed({f: sealed(m) for f, m in results.metrics.items()}, results.arrays))
    write_manifest(copy)
    said = odestudy(folder, "verify", str(copy))
    assert said.returncode == 1
    assert said.stdout.startswith("ledger.csv: C10")
    assert ", estimate: published " in said.stdout


def test_published_results_are_shown_as_they_are_and_marked_where_they_are_stale(clone, tmp_path):
    folder, published = clone
    copy = tmp_path / "smoke-older"
    shutil.copytree(published, copy)
    results = read_packed(copy)["images"]
    first, second = sorted(job for job in results.metrics if job.startswith("images_sizes/mnist-"))[:2]
    del results.metrics[first]
    results.metrics[second] = sealed(results.metrics[second] | {"code": "older"})
    write_packed(copy, "images", results)
    write_manifest(copy)
    done = odestudy(folder, "report", str(copy))
    assert done.returncode == 0, done.stderr
    shown = folder / "results/shown/smoke-older"
    jobs = pd.read_csv(shown / "tables/jobs.csv")
    assert not jobs.loc[jobs["job"] == first, "ran"].any()
    assert jobs.loc[jobs["stale"].eq(True), "job"].tolist() == [second]
    assert "1 jobs are stale" in (shown / "report/index.html").read_text()
    assert (shown / "report/report.pdf").is_file()
