"""What a tier will cost: list scheduling, the critical path, what is asked of a batch system, and its sources."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from odestudy.cli.main import main
from odestudy.runtime.log import read_seconds, write_seconds
from odestudy.runtime.store import write_metrics
from odestudy.study import Study, load_study
from odestudy.study.forecast import at_a_time, expectations, requests
from odestudy.study.graph import graph_of
from odestudy.study.jobs import Job
from odestudy.study.schedule import Task, critical_path, makespan


def tasks(*seconds: float | None) -> list[Task]:
    return [Task(str(i), "job", one) for i, one in enumerate(seconds)]


def record(study: Study, job: Job, **measured: float) -> None:
    """Metrics of a job that say what it took."""
    source = {"device": "cpu", "wall_s": 1.0, "process_s": 2.0, "process_peak_mib": 50.0, "begun_unix_s": 1.0}
    content = {"spec": job.spec, "rows": {}, "code": "c", "provenance": source | measured}
    write_metrics(job.metrics(study.results), content, {})


@pytest.fixture
def study(root, tmp_path) -> Study:
    """The smoke tier of one question, in a folder without results."""
    for name in ("config", "report", "workflow"):
        (tmp_path / name).symlink_to(root / name)
    return load_study(tmp_path, "smoke", {"questions": "dynamics"})


def test_list_scheduling_gives_grahams_example():
    jobs = tasks(3.0, 3.0, 2.0, 2.0, 2.0)
    assert makespan(jobs, 2) == 7.0  # the optimum is 6
    assert makespan(jobs, 1) == 12.0
    assert makespan(jobs, 64) == 3.0


def test_more_machines_may_take_longer_as_in_grahams_anomaly():
    # Graham 1969, figures 1 and 3: nine tasks in two chains, 12 units on three machines and 15 on four.
    seconds = dict(zip("123456789", (3.0, 2, 2, 2, 4, 4, 4, 4, 9), strict=True))
    after = {"9": ("1",), **dict.fromkeys("5678", ("4",))}
    graph = [Task(name, "job", took, after.get(name, ())) for name, took in seconds.items()]
    assert makespan(graph, 3) == 12.0
    assert makespan(graph, 4) == 15.0


def test_a_job_that_measures_time_has_one_machine_to_itself_and_leaves_the_other_machines_alone():
    jobs = [
        Task("a", "job", 3.0),
        Task("b", "job", 4.0, alone=True),
        Task("c", "job", 2.0),
        Task("d", "job", None),
    ]
    assert makespan([*jobs, Task("e", "job", 1.0, alone=True)], 64) == 3.0 + 4.0 + 1.0
    assert makespan([*jobs, Task("e", "job", 1.0, alone=True)], 64, beside=1) == 4.0
    assert makespan(jobs, 1) == makespan(jobs, 1, beside=1) == 9.0


def test_steps_wait_for_their_jobs_and_run_on_the_machine_that_hands_out_the_jobs():
    graph = [
        Task("a", "job", 3.0), Task("b", "job", 5.0), Task("table a", "table", 4.0, ("a",)),
        Task("table b", "table", 1.0, ("b",)), Task("report", "report", 2.0, ("table a", "table b")),
    ]  # fmt: skip
    assert makespan(graph, 2) == makespan(graph, 64) == 3.0 + 4.0 + 2.0
    assert makespan(graph, 1) == 15.0
    assert makespan(graph, 1, beside=1) == 3.0 + 5.0 + 1.0 + 2.0  # table a is made beside b
    assert critical_path(graph) == (9.0, [graph[0], graph[2], graph[4]])


def test_a_job_of_several_threads_takes_as_many_cores_and_narrower_ones_do_not_wait_behind_it():
    jobs = [Task("a", "job", 2.0), Task("b", "job", 3.0, threads=2), Task("c", "job", 1.0)]
    assert makespan(jobs, 2) == 2.0 + 3.0  # c beside a
    assert makespan(jobs, 3) == 3.0
    assert makespan(jobs, 1) == 6.0
    assert makespan(jobs, 2, beside=1) == 3.0


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_no_schedule_beats_the_bounds_nor_is_twice_as_long(workers):
    jobs = tasks(*map(float, (5, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5)))
    total, longest = sum(job.seconds or 0.0 for job in jobs), 9.0
    assert max(total / workers, longest) <= makespan(jobs, workers) <= total / workers + longest


def test_a_job_that_was_not_recorded_is_expected_as_the_others_of_its_experiment(study):
    jobs = list(study.jobs_by["dynamics", "recover"])
    for i, one in enumerate(jobs[:-1]):
        record(study, one, process_s=float(i + 1))
    found = {e.job.folder: e for e in expectations(study)}
    assert [found[one.folder].seconds for one in jobs] == [*map(float, range(1, len(jobs))), len(jobs) / 2]
    assert [found[one.folder].recorded for one in jobs] == [True] * (len(jobs) - 1) + [False]
    others = [e for e in found.values() if e.experiment != "recover"]
    assert others
    assert all(e.seconds is None for e in others)
    jobs[0].metrics(study.results).write_text(json.dumps({"damaged": True}))
    assert not {e.job.folder: e for e in expectations(study)}[jobs[0].folder].recorded


def test_how_many_jobs_ran_at_a_time_follows_from_when_they_were_recorded(study):
    assert at_a_time(expectations(study)) is None
    for job, begun in zip(study.jobs_by["dynamics", "recover"][:3], (1.0, 2.0, 9.0), strict=True):
        record(study, job, begun_unix_s=begun, wall_s=2.0, process_s=2.0)
    assert at_a_time(expectations(study)) == pytest.approx(6.0 / 5.0)  # from 1 to 4 and from 9 to 11


def test_steps_take_what_was_noted_beside_their_logs_or_as_others_of_their_kind(study):
    steps = {task.name: task for task in graph_of(study, expectations(study)) if task.kind != "job"}
    tables = [task for task in steps.values() if task.kind == "table"]
    assert {task.seconds for task in steps.values()} == {None}
    for task, seconds in zip(tables, (1.0, 2.0, 6.0), strict=False):
        write_seconds(study.results / f"logs/{task.name}.log", seconds)
    found = {task.name: task.seconds for task in graph_of(study, expectations(study))}
    assert [found[task.name] for task in tables] == [1.0, 2.0, 6.0, *[2.0] * (len(tables) - 3)]
    assert found["report"] is None
    damaged = study.results / f"logs/{tables[0].name}.seconds"
    damaged.write_text("1.0 or so")
    assert read_seconds(damaged.with_suffix(".log")) is None


def test_a_batch_system_is_asked_for_what_was_recorded_with_margins_that_double_on_retry(study):
    first, second, *others = study.jobs_by["dynamics", "recover"]
    record(study, first, process_peak_mib=100.0, process_s=60.0)
    record(study, second, process_peak_mib=40.0, process_s=600.0)
    found = requests(study)
    own = found[first.folder]
    assert [own.memory_mib(attempt) for attempt in (1, 2, 3)] == [150, 300, 600]
    assert [own.minutes(attempt) for attempt in (1, 2, 3)] == [4, 8, 16]  # twice a minute and two to start
    assert (found[second.folder].memory_mib(1), found[second.folder].minutes(1)) == (60, 22)
    for other in others:  # not recorded: as the most that was
        assert (found[other.folder].memory_mib(1), found[other.folder].minutes(1)) == (150, 22)
    assumed = study.settings["assumed"]
    never = found[study.jobs_by["dynamics", "crash"][0].folder]
    assert (never.mib, never.seconds) == (assumed["memory_mib"], 60 * assumed["minutes"])


def test_the_command_forecasts_both_kinds_of_machines_and_names_what_takes_long_or_is_not_known(
    study, monkeypatch, capsys
):
    monkeypatch.chdir(study.root)
    command = ["plan", "--tier", "smoke", "--questions", "dynamics"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "no record: dynamics.recover" in out
    assert "at a time" not in out
    long = study.jobs_by["dynamics", "recover"][0]
    for job in study.jobs.values():
        record(study, job, process_s=601.0 if job is long else 6.0)
    for log in ("tables/jobs", "report"):
        write_seconds(Path(study.results / f"logs/{log}.log"), 30.0)
    assert main([*command, "--workers", "1", "64"]) == 0
    out = capsys.readouterr().out
    assert f"over 8 min: {long.folder}, 10 min" in out
    assert out.count("over 8 min") == 1
    assert f"critical path: 11 min: {long.folder}, tables/jobs, report" in out
    found = dict(re.findall(r"^(\d+) at a time: .*?; ([\d.]+) min on \d+ nodes of one job each$", out, re.M))
    assert set(found) == {"1", "64"}
    assert float(found["64"]) == 11
    assert "no record" not in out
    assert main(["plan", "--tier", "smoke", "--workers", "0"]) == 2
    assert "at least 1" in capsys.readouterr().err
