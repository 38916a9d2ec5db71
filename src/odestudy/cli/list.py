"""`odestudy list`: questions, experiments, jobs and claims."""

from __future__ import annotations

import argparse
from typing import Any

from odestudy.cli.options import chosen_study, study_options
from odestudy.study.claims import claim_of


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "list",
        help="what there is: questions, experiments, jobs, claims",
        epilog="Example: odestudy list --tier quick --jobs",
    )
    parser.add_argument("--jobs", action="store_true", help="name every job and say whether it has run")
    study_options(parser)
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    study = chosen_study(options)
    print(f"tier {study.run}: {study.tier['title']}")
    for name, spec in study.questions.items():
        claims = dict.fromkeys(claim_of(row["id"]) for row in study.claims if row["question"] == name)
        print(f"\n{name}: {spec['title']} ({', '.join(claims) or 'no claim'})")
        for experiment, about in spec["experiments"].items():
            if (name, experiment) in study.dropped:
                print(f"  {experiment}: left out, {study.dropped[name, experiment]}")
                continue
            jobs = study.jobs_by[name, experiment]
            done = sum(job.metrics(study.results).is_file() for job in jobs)
            print(f"  {experiment}: {about['does']} {len(jobs)} jobs, {done} done")
            if options.jobs:
                for job in jobs:
                    state = "done" if job.metrics(study.results).is_file() else "    "
                    print(f"    {state} {job.folder}")
        print(f"  tables: {', '.join(spec['tables'])}")
        print(f"  figures: {', '.join(spec['figures'])}")
    return 0
