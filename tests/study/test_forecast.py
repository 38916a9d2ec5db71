"""What a tier will cost: bounds, what is asked of a batch system, and where both come from."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from odestudy.cli.main import main
from odestudy.runtime.packed import Packed, write_packed
from odestudy.runtime.store import seal, write_metrics
from odestudy.study import Study, load_study
from odestudy.study.forecast import expectations, request_of
from odestudy.study.jobs import Job


def record(study: Study, job: Job, **measured: float) -> None:
    """Metrics of a job that say what it took."""
    source = {"device": "cpu", "wall_s": 1.0, "process_s": 2.0, "process_peak_mib": 50.0, "begun_unix_s": 1.0}
    content = {"spec": job.spec, "rows": {}, "code": "c", "provenance": source | measured}
    write_metrics(job.metrics(study.results), content, {})


@pytest.fixture
def study(edit) -> Study:
    """The smoke tier of one question, one of whose jobs measures time alone, in a folder without results."""
    folder = edit("config/tiers/smoke.yaml", lambda d: d["questions"]["dynamics"]["cost"].update(timed=True))
    return load_study(folder, "smoke", {"questions": "dynamics"})


def test_a_job_that_was_not_recorded_is_expected_as_the_others_of_its_experiment(study):
    jobs = list(study.jobs_by["dynamics", "fast_modes"])
    assert len(jobs) > 2
    for i, one in enumerate(jobs[:-1]):
        record(study, one, process_s=float(i + 1))
    found = expectations(study)
    assert [found[one.folder].seconds for one in jobs] == [*map(float, range(1, len(jobs))), len(jobs) / 2]
    assert [found[one.folder].recorded for one in jobs] == [True] * (len(jobs) - 1) + [False]
    others = [e for e in found.values() if e.experiment != "fast_modes"]
    assert others
    assert all(e.seconds is None for e in others)
    jobs[0].metrics(study.results).write_text(json.dumps({"damaged": True}))
    assert not expectations(study)[jobs[0].folder].recorded


def test_a_batch_asks_for_the_most_memory_and_all_the_time_of_its_jobs_doubled_on_retry(study):
    first, second, other, *_ = study.jobs_by["dynamics", "fast_modes"]
    never = study.jobs_by["dynamics", "crash"][0]
    record(study, first, process_peak_mib=100.0, process_s=60.0)
    record(study, second, process_peak_mib=40.0, process_s=600.0)
    expected, assumed = expectations(study), study.settings["assumed"]

    def asked(*jobs: Job, attempt: int = 1) -> tuple[int, int]:
        request = request_of(jobs, expected, assumed)
        return request.memory_mib(attempt), request.minutes(attempt)

    assert [asked(first, attempt=n) for n in (1, 2, 3)] == [(150, 4), (300, 8), (600, 16)]
    assert asked(second) == (60, 22)  # half more memory, twice the time and two minutes to start
    assert asked(first, second) == (150, 24)
    assert asked(other) == (150, 13)  # not recorded: the most memory and the median time of its experiment
    assert asked(never) == (1.5 * assumed["memory_mib"], 2 * assumed["minutes"] + 2)
    assert asked(first, never) == (1.5 * assumed["memory_mib"], 2 * assumed["minutes"] + 4)


def test_the_command_sums_what_was_recorded_and_names_what_takes_long_or_is_not_known(
    study, monkeypatch, capsys
):
    monkeypatch.chdir(study.root)
    command = ["plan", "--tier", "smoke", "--questions", "dynamics"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "no record: dynamics.recover" in out
    assert "at a time" not in out
    long = study.jobs_by["dynamics", "recover"][0]
    timed = sum(bool(job.spec.get("timed")) for job in study.jobs.values())
    assert timed
    for job in study.jobs.values():
        record(study, job, process_s=601.0 if job is long else 120.0)
    assert main([*command, "--workers", "1", "2", "64"]) == 0
    out = capsys.readouterr().out
    assert f"over 8 min: {long.folder}, 10 min" in out
    assert out.count("over 8 min") == 1
    assert "no record" not in out
    line = (
        r"^(\d+) at a time: at least ([\d.]+) min on one machine, ([\d.]+) min on \d+ nodes of one job each$"
    )
    found = {int(n): (float(one), float(many)) for n, one, many in re.findall(line, out, re.M)}
    total = 10 + 2 * (len(study.jobs) - 1)
    assert found[1] == pytest.approx((total, total), rel=0.05)
    assert found[2] == pytest.approx((2 * timed + (total - 2 * timed) / 2, total / 2), rel=0.05)
    assert found[64] == pytest.approx((max(10, 2 * timed + (total - 2 * timed) / 64), 10), rel=0.05)
    assert main(["plan", "--tier", "smoke", "--workers", "0"]) == 2
    assert "at least 1" in capsys.readouterr().err


def test_a_job_is_recorded_where_another_tier_ran_it_and_this_tiers_records_come_first(study):
    first, second, third, *_ = study.jobs_by["dynamics", "fast_modes"]
    run = replace(study, run="quick")
    record(run, first, process_s=7.0)
    source = {"device": "cpu", "wall_s": 1.0, "process_peak_mib": 50.0, "begun_unix_s": 1.0}
    for name, jobs, took in (("quick-cpu", (second, third), 8.0), ("smoke-cpu", (third,), 9.0)):
        found = {
            job.folder: {
                "spec": job.spec,
                "rows": {},
                "code": "c",
                "provenance": source | {"process_s": took},
            }
            for job in jobs
        }
        found = {folder: content | {"seal": seal(content)} for folder, content in found.items()}
        write_packed(study.root / "results/published" / name, "dynamics", Packed(found))
    expected = expectations(study)
    assert [expected[job.folder].seconds for job in (first, second, third)] == [7.0, 8.0, 9.0]
    assert all(expected[job.folder].recorded for job in (first, second, third))
    record(study, first, process_s=6.0)
    assert expectations(study)[first.folder].seconds == 6.0
