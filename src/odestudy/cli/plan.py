"""`odestudy plan`: the time, memory and processes that a tier is expected to take."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from odestudy.cli.options import chosen_study, study_options

if TYPE_CHECKING:
    from odestudy.study import Study
    from odestudy.study.forecast import Expected

WORKERS = (1, 2, 4, 16, 64)
LONG_MIN = 8.0
NAMED = 20  # of the long jobs


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "plan",
        help="jobs, hours by question and time on several machines, from recorded runs",
        epilog="Example: odestudy plan --tier cpu --workers 1 4",
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
    """Print what is expected."""
    from odestudy.errors import ConfigError
    from odestudy.study.forecast import expectations

    if min(options.workers) < 1:
        raise ConfigError(f"--workers {min(options.workers)}: at least 1 is needed")
    if options.tier_named and options.tier not in (None, options.tier_named):
        raise ConfigError(f"plan {options.tier_named} --tier {options.tier}: two tiers")
    options.tier = options.tier_named or options.tier
    study = chosen_study(options)
    jobs = list(expectations(study).values())
    for line in (
        f"tier {study.run}: {study.tier['title']}",
        *_counts(study, jobs),
        *_bounds(jobs, options.workers),
        *_long(jobs, options.long_min),
        *_unknown(jobs),
    ):
        print(line)
    return 0


def _counts(study: Study, jobs: Sequence[Expected]) -> Iterator[str]:
    from odestudy.analysis.values import number

    guessed = sum(not job.recorded and job.seconds is not None for job in jobs)
    never = sum(job.seconds is None for job in jobs)
    yield (
        f"{len(jobs)} jobs in {len(study.batches)} processes; {guessed} expected as others of their experiment, "
        f"{never} never recorded"
    )
    width = max(len(q) for q in study.questions)
    for question in study.questions:
        mine = [job for job in jobs if job.question == question]
        cores = sum((j.seconds or 0.0) * j.job.spec["threads"] for j in mine if not j.gpu) / 3600
        gpus = sum(j.seconds or 0.0 for j in mine if j.gpu) / 3600
        said = f"{number(cores, 2)} core hours, {number(gpus, 2)} GPU hours"
        yield f"  {question:{width}}  {len(mine)} jobs, {said}"


def _bounds(jobs: Sequence[Expected], workers: Sequence[int]) -> Iterator[str]:
    """No schedule of the jobs is faster: what measures time has a machine of several workers to itself."""
    from odestudy.analysis.values import number

    seconds = [job.seconds for job in jobs if job.seconds is not None]
    if not seconds:
        return
    alone = sum(job.seconds or 0.0 for job in jobs if job.job.spec.get("timed"))
    for n in workers:
        machine = max(alone + (sum(seconds) - alone) / n, *seconds)
        nodes = max(sum(seconds) / n, *seconds)
        yield (
            f"{n} at a time: at least {number(machine / 60, 2)} min on one machine, "
            f"{number(nodes / 60, 2)} min on {n} nodes of one job each"
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
