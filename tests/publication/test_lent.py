"""An experiment that the shown tier drops, from another published folder that has it whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from odestudy import build
from odestudy.analysis.csvs import read_csv
from odestudy.analysis.devices import ALSO_TRAINED_ELSEWHERE
from odestudy.publication.manifest import write_manifest
from odestudy.publication.unpack import unpack
from odestudy.report.figure_markdown import figure_markdown
from odestudy.report.of_tier import experiments_of_figure, tier_said
from odestudy.report.runs import dropped_table
from odestudy.runtime.packed import Packed, read_packed, read_packed_metrics, write_packed
from odestudy.runtime.store import seal
from odestudy.study import Study, load_study

QUESTION, DROPPED, OWN = "dynamics", "crash_controls", "crash"  # smoke leaves the first out, and quick has it
SHOWN, LENDER = "results/published/smoke-cpu", "results/published/quick-cpu"


@pytest.fixture
def published(study_copy, root) -> Path:
    """A clone with a smoke run of one job of which all is made up, and of quick what was really published of two experiments."""
    quick, smoke = load_study(study_copy, "quick"), load_study(study_copy, "smoke")
    there = read_packed(root / LENDER)[QUESTION]
    jobs = {job.folder for e in (DROPPED, OWN) for job in quick.jobs_by[QUESTION, e]}
    write(study_copy / LENDER, {f: m for f, m in there.metrics.items() if f in jobs}, there.arrays)
    job = smoke.jobs_by[QUESTION, OWN][0]
    content = next(there.metrics[j.folder] for j in quick.jobs_by[QUESTION, OWN]) | {"spec": job.spec}
    write(study_copy / SHOWN, {job.folder: content | {"seal": seal(content)}}, {})
    return study_copy


def write(folder: Path, metrics: dict, arrays: dict) -> None:
    write_packed(folder, QUESTION, Packed(metrics, {f: a for f, a in arrays.items() if f in metrics}))
    write_manifest(folder)


def shown(root: Path) -> Study:
    return unpack(root, root / SHOWN)


def test_it_is_shown_with_jobs_tables_and_figures_that_name_their_tier(published):
    study = shown(published)
    assert study.lent == {(QUESTION, DROPPED): "quick-cpu"}
    assert (QUESTION, DROPPED) not in study.dropped
    jobs = study.jobs_by[QUESTION, DROPPED]
    assert len(jobs) > 1
    assert all(job.metrics(study.results).is_file() for job in jobs)
    build.make_tables(study, QUESTION)
    build.make_jobs_table(study)
    tables = [t for t, d in study.questions[QUESTION]["tables"].items() if DROPPED in d["experiments"]]
    rows = read_csv(study.results / f"tables/{tables[0]}.csv")
    assert {job.folder for job in jobs} <= set(rows["job"])
    listed = read_csv(study.results / "tables/jobs.csv").set_index("job")["tier"]
    assert {listed[job.folder] for job in jobs} == {"quick"}
    assert listed[study.jobs_by[QUESTION, OWN][0].folder] == "smoke"
    assert tier_said(study, QUESTION, [DROPPED]) == "Of tier quick."
    assert tier_said(study, QUESTION, [OWN]) == ""
    assert tier_said(study, QUESTION, [OWN, DROPPED]) == f"Tier quick: {DROPPED}; tier smoke: the rest."
    assert "shown here of tier quick" in dropped_table(study)
    name = next(f for f in study.questions[QUESTION]["figures"] if DROPPED in experiments_of_figure(study, f))
    build.make_figure(study, name)
    escaped = DROPPED.replace("_", r"\_")
    assert f"Tier quick: {escaped}; tier smoke: the rest." in figure_markdown(study, study.results, name)


def test_the_ledger_of_the_folder_is_of_its_own_jobs(published):
    bare = load_study(published, "smoke")
    assert shown(published).alone.jobs_by == bare.jobs_by
    assert shown(published).alone.dropped == bare.dropped


@pytest.mark.parametrize("lacking", ["a job", "its code"])
def test_it_stays_left_out_where_the_other_has_not_all_of_it_or_by_older_code(published, lacking):
    there = read_packed(published / LENDER)[QUESTION]
    job = shown(published).jobs_by[QUESTION, DROPPED][0].folder
    content = there.metrics.pop(job)
    if lacking == "its code":
        content = content | {"code": "older"}
        there.metrics[job] = content | {"seal": seal(content)}
    write(published / LENDER, there.metrics, there.arrays)
    study = shown(published)
    assert study.lent == {}
    assert (QUESTION, DROPPED) in study.dropped
    assert not (study.results / "runs" / job).exists()


def test_in_a_run_of_ones_own_it_stays_left_out(published):
    study = load_study(published, "smoke")
    assert study.lent == {}
    assert (QUESTION, DROPPED) in study.dropped
    assert (QUESTION, DROPPED) not in study.jobs_by


def test_folders_of_which_some_nets_were_trained_elsewhere_are_said_to_be_such(root):
    mixed = set()
    for folder in (root / "results/published").iterdir():
        devices = {
            job["provenance"]["device"]
            for jobs in read_packed_metrics(folder).values()
            for job in jobs.values()
        }
        if len(devices) > 1:
            mixed.add(folder.name)
    assert mixed == set(ALSO_TRAINED_ELSEWHERE)
