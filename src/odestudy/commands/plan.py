"""What a tier will cost, before it is run."""

from __future__ import annotations

import argparse
from typing import Any

from odestudy.commands import chosen_study, study_options

MACHINES = (1, 2, 4, 16, 64)


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "plan", help="jobs, hours by question and time on several machines, from recorded runs"
    )
    parser.add_argument(
        "--workers", type=int, nargs="+", default=list(MACHINES), help="how many jobs may run at a time"
    )
    parser.add_argument("tier_named", nargs="?", metavar="TIER", help="as --tier")
    study_options(parser)
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    """Print the forecast."""
    from odestudy.errors import ConfigError
    from odestudy.plan.forecast import critical_path, expectations, makespan
    from odestudy.present.values import number

    if min(options.workers) < 1:
        raise ConfigError(f"--workers {min(options.workers)}: at least 1 is needed")
    if options.tier_named and options.tier not in (None, options.tier_named):
        raise ConfigError(f"plan {options.tier_named} --tier {options.tier}: two tiers")
    options.tier = options.tier_named or options.tier
    study = chosen_study(options)
    jobs = expectations(study)
    unknown = [job for job in jobs if job.seconds is None]
    guessed = sum(not job.recorded and job.seconds is not None for job in jobs)
    print(f"tier {study.run}: {study.tier['title']}")
    print(
        f"{len(jobs)} jobs; {guessed} expected as others of their experiment, {len(unknown)} never recorded"
    )
    width = max(len(q) for q in study.questions)
    for question in study.questions:
        mine = [job for job in jobs if job.question == question]
        cores = sum((j.seconds or 0.0) * j.job.spec["threads"] for j in mine if not j.gpu) / 3600
        gpus = sum(j.seconds or 0.0 for j in mine if j.gpu) / 3600
        said = f"{number(cores, 2)} core hours, {number(gpus, 2)} GPU hours"
        print(f"  {question:{width}}  {len(mine)} jobs, {said}")
    path, longest = critical_path(jobs)
    if longest is not None:
        print(
            f"critical path: {number(path / 60, 2)} min; longest job: {longest.job.folder}, "
            f"{number((longest.seconds or 0.0) / 60, 2)} min"
        )
        for workers in options.workers:
            print(
                f"{workers} at a time: {number(makespan(jobs, workers) / 60, 2)} min (tables and figures apart)"
            )
    for experiment in dict.fromkeys(f"{job.question}.{job.experiment}" for job in unknown):
        print(f"no record: {experiment}")
    return 0
