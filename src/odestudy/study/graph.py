"""The graph of a study's run: its jobs, and the steps that gather and draw what they find.

The rules in workflow/rules are what is run; a test holds this picture of them against Snakemake's own.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from odestudy.runtime.log import read_seconds
from odestudy.study.forecast import Expected, folders_of
from odestudy.study.load import Study
from odestudy.study.schedule import Task


def graph_of(study: Study, jobs: Sequence[Expected]) -> list[Task]:
    """All tasks that lead to the report, each behind those that it waits for, with the seconds that are expected."""
    steps = [_with_seconds(step, study) for step in _steps(study)]
    by_kind = defaultdict(list)
    for step in steps:
        if step.seconds is not None:
            by_kind[step.kind].append(step.seconds)
    known = {kind: statistics.median(seconds) for kind, seconds in by_kind.items()}
    nodes = [
        Task(job.job.folder, "job", job.seconds, alone=job.alone, threads=job.job.spec["threads"])
        for job in jobs
    ]
    for step in steps:
        nodes.append(step if step.seconds is not None else replace(step, seconds=known.get(step.kind)))
    return nodes


def _with_seconds(step: Task, study: Study) -> Task:
    """A step with what it took in this folder, else in a published one of the same tier."""
    found = (read_seconds(folder / "logs" / f"{step.name}.log") for folder in folders_of(study))
    return replace(step, seconds=next((seconds for seconds in found if seconds is not None), None))


def _steps(study: Study) -> Iterator[Task]:
    """Every step but the jobs, named as its log."""

    def jobs(question: str, experiments: list[str]) -> tuple[str, ...]:
        return tuple(job.folder for job in study.jobs_of(question, experiments))

    yield Task("tables/jobs", "jobs_table", None, tuple(study.jobs))
    tables = tuple(f"tables/{name}" for name in study.tables)
    for name, (question, definition) in study.tables.items():
        yield Task(f"tables/{name}", "table", None, jobs(question, definition["experiments"]))
    yield Task("tables/ledger", "ledger", None, tables)
    figures = []
    for name, (question, definition) in study.figures.items():
        after = tuple(f"tables/{table}" for table in definition["tables"])
        after += jobs(question, definition.get("arrays", []))
        figures.append(Task(f"figures/{name}", "figure", None, after))
        if definition.get("animated"):
            figures.append(Task(f"figures/{name}.gif", "animation", None, after))
    yield from figures
    drawn = tuple(figure.name for figure in figures)
    yield Task("report", "report", None, (*tables, "tables/jobs", "tables/ledger", *drawn))
