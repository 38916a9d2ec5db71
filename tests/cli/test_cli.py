"""The command `odestudy`, as a user types it."""

from __future__ import annotations

import json

import pytest

from odestudy.cli.main import main
from odestudy.study import load_study


@pytest.fixture
def inside(study_copy, monkeypatch):
    monkeypatch.chdir(study_copy)
    return study_copy


def test_list_names_questions_experiments_tables_and_figures(inside, capsys):
    assert main(["list", "--tier", "smoke"]) == 0
    shown = capsys.readouterr().out
    for word in ("dynamics", "images", "recover", "images_accuracy", "dynamics_portraits", "C14"):
        assert word in shown


def test_one_job_can_be_run_by_hand_and_is_then_listed_as_done(inside, capsys):
    job = next(j for j in load_study(inside, "smoke").jobs.values() if j.task == "images_sizes.sizes")
    assert main(["run", job.key, "--tier", "smoke"]) == 0
    assert "1 of 1 ok" in capsys.readouterr().out
    metrics = json.loads((inside / "results/smoke/runs" / job.folder / "metrics.json").read_text())
    assert metrics["spec"] == job.spec
    assert main(["run", job.folder, "--tier", "smoke"]) == 0
    assert "done before" in capsys.readouterr().out
    assert main(["list", "--tier", "smoke", "--jobs"]) == 0
    assert f"done {job.folder}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "nothing"], "no such job"),
        (["run"], "name a job"),
        (["list", "--tier", "huge"], "smoke, quick, cpu, full"),
        (["list", "--questions", "image"], "unknown question"),
        (["list", "--seeds", "0"], "at least 1"),
        (["unpack", "nothing.tar"], "nothing.tar: no such file"),
        (["verify", "results/nowhere"], "results/nowhere: no such folder"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(inside, capsys, arguments, words):
    assert main(arguments) == 2
    shown = capsys.readouterr().err
    assert words in shown
    assert shown.count("\n") == 1


def test_outside_a_clone_the_command_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["list"]) == 2
    assert "config/study.yaml" in capsys.readouterr().err


def test_check_finds_this_machine_ready_and_a_broken_tier_not(inside, edit, capsys):
    assert main(["check"]) == 0
    assert "torch" in capsys.readouterr().out
    edit("config/tiers/cpu.yaml", lambda d: d.update(seedz=[1]))
    assert main(["check"]) == 1
    shown = capsys.readouterr().out
    assert "config/tiers/cpu.yaml: seedz" in shown
    assert "not ready" in shown
