"""What a second command does with what the first one left: finished, killed, edited, under way."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from odestudy.errors import ConfigError
from odestudy.runtime.lock import held_folder
from odestudy.runtime.store import seal
from odestudy.study import load_study
from tests.workflow.clone import copy_of_clone, run
from tests.workflow.disturbed import start, wait_for, without_others

pytestmark = pytest.mark.dag
SIZES = "results/smoke/done/images_sizes_1"  # a batch of short jobs


def test_a_second_run_in_the_same_folder_is_refused_while_the_first_one_lives(tmp_path):
    folder = copy_of_clone(tmp_path)
    with held_folder(folder):
        second = run(folder, SIZES, check=False)
        by_hand = [sys.executable, "-m", "odestudy.cli.main", "run", "--tier", "smoke", "images_sizes"]
        third = subprocess.run(by_hand, cwd=folder, capture_output=True, text=True, check=False)
    for refused in (second, third):
        assert refused.returncode != 0
        assert "another run is going on" in refused.stderr
    assert not (folder / "results/smoke/runs").exists()
    first = start(folder, SIZES)
    wait_for(lambda: is_held(folder) or first.poll() is not None)
    assert first.poll() is None
    assert first.wait(300) == 0
    assert not is_held(folder)


def is_held(folder: Path) -> bool:
    try:
        with held_folder(folder):
            return False
    except ConfigError:
        return True


def test_a_job_is_run_again_when_its_code_changed_or_its_metrics_were_edited(smoke, tmp_path):
    """Snakemake's own memory is not in the folder, so that only the metrics can tell."""
    target, runs = "results/smoke/tables/images_sizes.csv", "results/smoke/runs"
    whole = [json.loads(file.read_text()) for file in sizes_in(smoke / runs)]
    older = whole[0] | {"code": "older"}
    edited = json.loads(json.dumps(whole[1]))
    edited["rows"]["runs"][0]["parameters"] -= 1
    unsealed = {key: value for key, value in edited.items() if key != "seal"}
    # Of the first files; None: without its arrays.
    altered = [
        json.dumps(older | {"seal": seal(older)}),
        json.dumps(edited),
        json.dumps(unsealed),
        "{ half a file",
        None,
    ]
    folder = copy_of_clone(tmp_path)
    shutil.copytree(smoke / runs, folder / runs)
    files = sizes_in(folder / runs)
    assert len(files) > len(altered)
    inodes = [file.stat().st_ino for file in files]
    for file, text in zip(files, altered, strict=False):
        if text is None:
            file.with_name("arrays.npz").unlink()
        else:
            file.write_text(text)
    run(folder, target)
    for file, content in zip(files, whole, strict=True):
        found = json.loads(file.read_text())
        assert (found["rows"], found["code"]) == (content["rows"], content["code"])
    kept = [file.stat().st_ino == inode for file, inode in zip(files, inodes, strict=True)]
    assert kept == [False] * len(altered) + [True] * (len(files) - len(altered))
    assert "Nothing to be done" in (done := run(folder, target)).stderr + done.stdout


def sizes_in(runs: Path) -> list[Path]:
    return sorted((runs / "images_sizes").glob("*/metrics.json"))


def test_a_batch_with_newer_code_runs_again_and_what_it_computed_before_it_failed_stays(smoke, tmp_path):
    folder = copy_of_clone(tmp_path)
    shutil.copytree(smoke / "results/smoke", folder / "results/smoke")
    shutil.copytree(smoke / ".snakemake", folder / ".snakemake")
    assert "Nothing to be done" in (done := run(folder, SIZES)).stderr + done.stdout
    rules = folder / "workflow/rules/jobs.smk"
    text = rules.read_text()
    assert text.count("found.code_of(job)") == 1
    newer = text.replace("found.code_of(job)", "'newer'")
    fails = '{**job.spec, "task": "images_sizes.nothing"} if job != jobs[-1] else job.spec'
    rules.write_text(newer.replace('"spec": job.spec', f'"spec": {fails}'))
    assert run(folder, SIZES, check=False).returncode != 0
    computed = {
        file: file.stat().st_ino for file in sizes_in(folder / "results/smoke/runs") if code(file) == "newer"
    }
    assert len(computed) == 1
    rules.write_text(newer)
    run(folder, SIZES)
    files = sizes_in(folder / "results/smoke/runs")
    assert {code(file) for file in files} == {"newer"}
    assert [file for file in files if computed.get(file) == file.stat().st_ino] == list(computed)
    assert "Nothing to be done" in (done := run(folder, SIZES)).stderr + done.stdout


def code(metrics: Path) -> str:
    return str(json.loads(metrics.read_text())["code"])


def test_what_is_shown_is_remade_when_the_configuration_that_it_shows_changes(smoke, tmp_path):
    folder = copy_of_clone(tmp_path)
    shutil.copytree(smoke / "results", folder / "results")
    shutil.copytree(smoke / ".snakemake", folder / ".snakemake")
    for file in ("config/systems.yaml", "config/tiers/smoke.yaml"):
        shutil.copy(smoke / file, folder / file)
    tier = folder / "config/tiers/smoke.yaml"
    tier.write_text(tier.read_text().replace("title: The machinery", "title: All the machinery"))
    done = run(folder, "-n", "--config", "tier=smoke")
    assert "rule report:" in done.stdout + done.stderr
    assert "rule smoke_" not in done.stdout + done.stderr


def test_a_job_fails_alone_and_leaves_its_traceback_in_its_log(tmp_path, monkeypatch):
    folder = copy_of_clone(tmp_path)
    monkeypatch.chdir(folder)  # which shaky.py lies in
    (folder / "shaky.py").write_text(
        "def field(t, z):\n    if t > 0.5:\n        raise ValueError('no slope so late')\n    return -z\n"
    )
    shaky = {
        "label": "a test's own",
        "field": "shaky.py:field",
        "z0": [1.0, 0.0],
        "horizon": 10.0,
        "groups": ["recover"],
    }
    systems = folder / "config/systems.yaml"
    systems.write_text(systems.read_text() + yaml.safe_dump({"shaky": shaky}))
    tier = folder / "config/tiers/smoke.yaml"
    content = yaml.safe_load(tier.read_text())
    recover = content["questions"]["dynamics"]["recover"] | {"grid": {"system": ["shaky"]}}
    content["questions"]["dynamics"] = without_others(folder, "dynamics") | {"recover": recover}
    tier.write_text(yaml.safe_dump(content))
    batch = next(one.name for one in load_study(folder, "smoke").batches if one.question == "dynamics")
    done = run(folder, f"results/smoke/done/{batch}", SIZES, check=False)
    assert done.returncode != 0
    assert (folder / SIZES).is_file()
    log = "".join(file.read_text() for file in (folder / "results/smoke/logs/runs").glob("dynamics_*.log"))
    assert "Traceback" in log
    assert "ValueError: no slope so late" in log
    said = [line for line in done.stderr.splitlines() if line.startswith("odestudy:")]
    assert any(
        "ValueError: no slope so late; its traceback is in results/smoke/logs" in line for line in said
    )
