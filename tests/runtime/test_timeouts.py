"""Jobs that took too long count as failed, wherever their rows would have gone."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest

from odestudy import build
from odestudy.publication.unpack import unpack
from odestudy.runtime.store import read_metrics, write_metrics
from odestudy.runtime.timeout import TIMEOUT, record_timeout
from odestudy.study import load_study
from odestudy.study.load import Study


@pytest.fixture(scope="module")
def late(root, tmp_path_factory) -> Study:
    """Two questions of the published run, where the first job of every experiment took too long, and their tables."""
    folder = tmp_path_factory.mktemp("late")
    for name in ("config", "workflow", "report"):
        shutil.copytree(root / name, folder / name)
    run = unpack(folder, root / "results/published/quick-cpu").run
    study = load_study(folder, run, {"questions": "images,gradients"})
    for jobs in study.jobs_by.values():
        for job in jobs[:1]:
            path = job.metrics(study.results)
            if path.is_file():
                record_timeout(job.spec, path, {"code": "of a test"}, "took longer than 1 min", 0.0, 100.0)
    for table in study.tables:
        build.make_table(study, table)
    return study


def table_of(study: Study, name: str) -> pd.DataFrame:
    return pd.read_csv(study.results / f"tables/{name}.csv")


def test_a_job_that_took_too_long_has_a_row_for_each_of_its_seeds_in_every_table_of_runs(late):
    for name, (question, definition) in late.tables.items():
        if definition["rows"] != "runs" or "derive" in definition:
            continue
        rows = table_of(late, name)
        for job in late.jobs_of(question, definition["experiments"]):
            runs = read_metrics(job.metrics(late.results))["rows"]["runs"]
            if runs[0]["status"] == TIMEOUT:
                found = rows[rows["job"] == job.folder]
                assert found["seed"].tolist() == job.spec["seeds"], name
                assert set(found["status"]) == {TIMEOUT}, name


def test_the_ledger_and_the_table_of_jobs_are_made_and_a_claim_on_such_runs_is_not_supported(late):
    build.make_jobs_table(late)
    build.make_ledger(late)
    jobs = table_of(late, "jobs")
    assert (jobs["ok"] < jobs["rows"]).sum() >= len(late.jobs_by) / 2
    ledger = table_of(late, "ledger").set_index("id")
    failed = ledger[ledger["failed"] > 0]
    assert len(failed)
    rates = {c["id"] for c in late.claims if c.get("estimand", {}).get("statistic") == "rate"}
    assert not (failed.loc[~failed.index.isin(rates), "verdict"] == "supported").any()


@pytest.mark.parametrize("name", ["images_tradeoff", "images_stages", "images_accuracy"])
def test_figures_show_the_other_runs_and_say_what_they_lack(late, name):
    (late.results / "figures").mkdir(exist_ok=True)
    build.make_figure(late, name)
    about = json.loads((late.results / f"figures/{name}.json").read_text())
    if name == "images_accuracy":  # its rows have a place: an arm on a data set
        assert "timeout" in about["caption"]
    elif about["empty"]:
        assert "failed" in about["caption"]
    else:
        assert "of jobs that took too long" in about["caption"]


def test_a_job_that_wrote_its_metrics_as_its_time_ended_keeps_them(tmp_path):
    path = tmp_path / "metrics.json"
    spec = {"seeds": [0, 1], "device": "cpu", "threads": 1, "dtype": "float32"}
    content = {"spec": spec, "rows": {"runs": [{"seed": 0, "status": "ok"}]}, "provenance": {}, "code": "c"}
    write_metrics(path, content, {})
    record_timeout(spec, path, {"code": "c"}, "late", 0.0, 1.0)
    assert read_metrics(path)["rows"] == content["rows"]
    record_timeout(spec, path, {"code": "newer"}, "late", 0.0, 1.0)
    assert [row["status"] for row in read_metrics(path)["rows"]["runs"]] == [TIMEOUT, TIMEOUT]
