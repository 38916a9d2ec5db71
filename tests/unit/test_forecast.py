"""What a tier will cost: list scheduling, the critical path, and where the seconds come from."""

from __future__ import annotations

import json

import pytest

from odestudy.cli import main
from odestudy.measure.store import write_metrics
from odestudy.plan import load_study
from odestudy.plan.forecast import Expected, critical_path, expectations, makespan
from odestudy.plan.jobs import Job


def job(seconds: float | None, *, alone: bool = False) -> Expected:
    return Expected(Job({"task": "a.b"}, "x"), "q", "e", seconds, seconds is not None, alone, gpu=False)


def test_list_scheduling_gives_grahams_example():
    jobs = [job(s) for s in (3.0, 3.0, 2.0, 2.0, 2.0)]
    assert makespan(jobs, 2) == 7.0  # the optimum is 6
    assert makespan(jobs, 1) == 12.0
    assert makespan(jobs, 64) == 3.0


def test_jobs_that_measure_time_run_one_after_the_other_however_many_machines_there_are():
    jobs = [job(3.0), job(4.0, alone=True), job(2.0), job(1.0, alone=True), job(None)]
    assert makespan(jobs, 64) == 3.0 + 4.0 + 1.0
    seconds, longest = critical_path(jobs)
    assert (seconds, longest) == (8.0, jobs[1])


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_no_schedule_beats_the_bounds_nor_is_twice_as_long(workers):
    jobs = [job(float(s)) for s in (5, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5)]
    total, longest = sum(j.seconds or 0 for j in jobs), 9.0
    assert max(total / workers, longest) <= makespan(jobs, workers) <= total / workers + longest


def test_a_job_that_was_not_recorded_is_expected_as_the_others_of_its_experiment(root, tmp_path):
    for name in ("config", "report", "workflow"):
        (tmp_path / name).symlink_to(root / name)
    study = load_study(tmp_path, "smoke", {"questions": "dynamics"})
    jobs = list(study.jobs_by["dynamics", "recover"])
    for i, one in enumerate(jobs[:-1]):
        source = {"device": "cpu", "wall_s": 1.0, "process_s": float(i + 1)}
        content = {"spec": one.spec, "rows": {}, "code": "c", "provenance": source}
        write_metrics(one.metrics(study.results), content, {})
    found = {e.job.folder: e for e in expectations(study)}
    assert [found[one.folder].seconds for one in jobs] == [*map(float, range(1, len(jobs))), len(jobs) / 2]
    assert [found[one.folder].recorded for one in jobs] == [True] * (len(jobs) - 1) + [False]
    others = [e for e in found.values() if e.experiment != "recover"]
    assert others
    assert all(e.seconds is None for e in others)
    jobs[0].metrics(study.results).write_text(json.dumps({"damaged": True}))
    assert not {e.job.folder: e for e in expectations(study)}[jobs[0].folder].recorded


def test_the_command_names_what_it_does_not_know(root, tmp_path, monkeypatch, capsys):
    for name in ("config", "report", "workflow"):
        (tmp_path / name).symlink_to(root / name)
    monkeypatch.chdir(tmp_path)
    assert main(["plan", "--tier", "smoke", "--questions", "dynamics"]) == 0
    assert "no record: dynamics.recover" in capsys.readouterr().out
    assert main(["plan", "--tier", "smoke", "--workers", "0"]) == 2
    assert "at least 1" in capsys.readouterr().err
