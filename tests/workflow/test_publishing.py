"""A run is published, shown again from its metrics, and verified."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from odestudy.runtime.store import seal
from tests.workflow.clone import copy_of_clone, run

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = "images,timeseries"  # of what is published

pytestmark = pytest.mark.dag


def test_published_metrics_are_shown_as_they_are_and_marked_where_they_are_stale(smoke, tmp_path):
    folder = copy_of_clone(tmp_path)
    source, target = smoke / "results/smoke/runs", folder / "results/published/smoke-test/runs"
    shutil.copytree(source / "images_sizes", target / "images_sizes")
    sizes = sorted(target.glob("images_sizes/mnist-*"))
    shutil.rmtree(sizes[0])
    changed = sizes[1] / "metrics.json"
    content = json.loads(changed.read_text())
    older = content | {"code": "older"}
    changed.write_text(json.dumps(older | {"seal": seal(older)}))
    done = run(folder, "results/published/smoke-test/report/index.html")
    assert "rule quick_" not in done.stderr
    jobs = pd.read_csv(folder / "results/published/smoke-test/tables/jobs.csv")
    assert (~jobs["ran"]).sum() == 1 + (~jobs["job"].str.startswith("images_sizes/")).sum()
    assert jobs.loc[jobs["stale"] == True, "job"].tolist() == [f"images_sizes/{sizes[1].name}"]  # noqa: E712  (has gaps)
    html = (folder / "results/published/smoke-test/report/index.html").read_text()
    assert "1 jobs are stale" in html
    assert json.loads(changed.read_text())["code"] == "older"


def test_a_run_is_published_verified_and_every_change_to_it_is_found(smoke, tmp_path):
    folder = copy_of_clone(tmp_path)
    (folder / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    (folder / "results").mkdir()
    (folder / "results/smoke").symlink_to(smoke / "results/smoke")
    shutil.copy(smoke / "config/systems.yaml", folder / "config/systems.yaml")
    shutil.copy(smoke / "config/tiers/smoke.yaml", folder / "config/tiers/smoke.yaml")

    def odestudy(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "odestudy.cli.main", *words]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    published = Path(odestudy("publish", "--tier", "smoke", "--questions", QUESTIONS).stdout.strip())
    assert published.as_posix() == "results/published/smoke-cpu"
    run(folder, f"{published}/manifest.sha256")
    found = tmp_path / "found.json"
    assert odestudy("compare", "results/smoke", str(published), "--json", str(found)).returncode == 0
    compared = [
        row["outcome"]
        for row in json.loads(found.read_text())["metrics"]
        if row["table"].startswith(tuple(QUESTIONS.split(",")))
    ]
    assert len(compared) > 100
    assert set(compared) == {"reproduced"}
    table = folder / published / "tables/images_sizes.csv"
    table.write_text(table.read_text().replace("208266", "208267"))
    altered = odestudy("verify", str(published))
    assert (altered.returncode, altered.stdout.splitlines()[0]) == (1, "altered: tables/images_sizes.csv")
    forged = hashlib.sha256(table.read_bytes()).hexdigest()
    manifest = folder / published / "manifest.sha256"
    lines = [line for line in manifest.read_text().splitlines() if not line.endswith("/images_sizes.csv")]
    manifest.write_text("\n".join([*lines, f"{forged}  tables/images_sizes.csv"]) + "\n")
    said = odestudy("verify", str(published))
    assert said.returncode == 1
    # All that was published is made again from the metrics, and only what was forged is not as it was published.
    assert said.stdout.splitlines()[0] == "does not follow from the metrics: tables/images_sizes.csv"
    assert said.stdout.splitlines()[1].endswith(" of them made again from the metrics, 1 differ.")
