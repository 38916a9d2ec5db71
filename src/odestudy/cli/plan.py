"""What a tier will cost, before it is run."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from odestudy.cli.options import chosen_study, study_options

if TYPE_CHECKING:
    from odestudy.study import Study
    from odestudy.study.forecast import Expected
    from odestudy.study.schedule import Task

WORKERS = (1, 2, 4, 16, 64)
LONG_MIN = 8.0
NAMED = 20  # of the long jobs


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "plan", help="jobs, hours by question and time on several machines, from recorded runs"
    )
    parser.add_argument(
        "--workers", type=int, nargs="+", default=list(WORKERS), help="how many jobs may run at a time"
    )
    parser.add_argument(
        "--long-min",
        type=float,
        default=LONG_MIN,
        help="jobs that are expected to take more minutes are named",
    )
    parser.add_argument("tier_named", nargs="?", metavar="TIER", help="as --tier")
    study_options(parser)
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    """Print the forecast."""
    from odestudy.errors import ConfigError
    from odestudy.study.forecast import expectations
    from odestudy.study.graph import graph_of

    if min(options.workers) < 1:
        raise ConfigError(f"--workers {min(options.workers)}: at least 1 is needed")
    if options.tier_named and options.tier not in (None, options.tier_named):
        raise ConfigError(f"plan {options.tier_named} --tier {options.tier}: two tiers")
    options.tier = options.tier_named or options.tier
    study = chosen_study(options)
    jobs = expectations(study)
    tasks = graph_of(study, jobs)
    for line in (
        f"tier {study.run}: {study.tier['title']}",
        *_counts(study, jobs, tasks),
        *_forecast(jobs, tasks, options.workers),
        *_long(jobs, options.long_min),
        *_unknown(jobs),
    ):
        print(line)
    return 0


def _counts(study: Study, jobs: Sequence[Expected], tasks: Sequence[Task]) -> Iterator[str]:
    from odestudy.analysis.values import number

    guessed = sum(not job.recorded and job.seconds is not None for job in jobs)
    never = sum(job.seconds is None for job in jobs)
    yield f"{len(jobs)} jobs; {guessed} expected as others of their experiment, {never} never recorded"
    steps = [task for task in tasks if task.kind != "job"]
    never = sum(step.seconds is None for step in steps)
    yield f"{len(steps)} tables, figures and pages; {never} never recorded, as if they took no time"
    width = max(len(q) for q in study.questions)
    for question in study.questions:
        mine = [job for job in jobs if job.question == question]
        cores = sum((j.seconds or 0.0) * j.job.spec["threads"] for j in mine if not j.gpu) / 3600
        gpus = sum(j.seconds or 0.0 for j in mine if j.gpu) / 3600
        said = f"{number(cores, 2)} core hours, {number(gpus, 2)} GPU hours"
        yield f"  {question:{width}}  {len(mine)} jobs, {said}"


def _forecast(jobs: Sequence[Expected], tasks: Sequence[Task], workers: Sequence[int]) -> Iterator[str]:
    from odestudy.analysis.values import number
    from odestudy.study.forecast import at_a_time
    from odestudy.study.schedule import critical_path, makespan

    if all(job.seconds is None for job in jobs):
        return
    seconds, path = critical_path(tasks)
    yield f"critical path: {number(seconds / 60, 2)} min: {', '.join(task.name for task in path)}"
    beside = os.cpu_count() or 1  # Snakemake's own default for what it hands out to no node
    for n in workers:
        alone, apart = makespan(tasks, n), makespan(tasks, n, beside=beside)
        yield (
            f"{n} at a time: {number(alone / 60, 2)} min on one machine; "
            f"{number(apart / 60, 2)} min on {n} nodes of one job each"
        )
    recorded = at_a_time(jobs)
    if recorded is not None:
        yield (
            f"recorded while {number(recorded, 2)} jobs ran at a time on average; where cores share what they compute "
            "with, fewer at a time are faster and more are slower than forecast"
        )


def _long(jobs: Sequence[Expected], minutes: float) -> Iterator[str]:
    from odestudy.analysis.values import number

    found = [job for job in jobs if (job.seconds or 0.0) > 60 * minutes]
    found.sort(key=lambda job: job.seconds or 0.0, reverse=True)
    for job in found[:NAMED]:
        yield f"over {minutes:g} min: {job.job.folder}, {number((job.seconds or 0.0) / 60, 2)} min"
    if found[NAMED:]:
        yield f"over {minutes:g} min: and {len(found) - NAMED} more"


def _unknown(jobs: Sequence[Expected]) -> Iterator[str]:
    for name in dict.fromkeys(f"{job.question}.{job.experiment}" for job in jobs if job.seconds is None):
        yield f"no record: {name}"
