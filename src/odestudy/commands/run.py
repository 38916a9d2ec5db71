"""Run jobs by hand, without Snakemake."""

from __future__ import annotations

import argparse
from typing import Any

from odestudy.commands import chosen_study, study_options
from odestudy.errors import ConfigError


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("run", help="run jobs by hand, without Snakemake")
    parser.add_argument(
        "job", nargs="*", help="folder, or the beginning of it, or the key, as `odestudy list --jobs` shows"
    )
    parser.add_argument("--all", action="store_true", help="every job of the tier that has not run yet")
    parser.add_argument("--again", action="store_true", help="also where metrics are there already")
    parser.add_argument(
        "--time-limit-s", type=float, default=None, help="start no further job after so many seconds"
    )
    study_options(parser)
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    import time

    study = chosen_study(options)
    chosen = list(study.jobs.values()) if options.all else []
    for text in options.job:
        found = [j for j in study.jobs.values() if text and (j.key == text or j.folder.startswith(text))]
        if not found:
            raise ConfigError(
                f"run {text!r}: no such job at tier {study.run}; `odestudy list --jobs` names them"
            )
        chosen += found
    if not chosen:
        raise ConfigError("run: name a job, or give --all; `odestudy list --jobs` names them")
    from odestudy.measure.store import is_current
    from odestudy.run import run_job

    begun = time.monotonic()
    for job in dict.fromkeys(j.folder for j in chosen):
        target = study.jobs[job].metrics(study.results)
        if not options.again and is_current(target, study.code_of(study.jobs[job])):
            print(f"{job}: done before (--again repeats it)")
            continue
        if options.time_limit_s is not None and time.monotonic() - begun > options.time_limit_s:
            print(f"{job}: not started, the time limit is reached")
            continue
        content = run_job(
            study.jobs[job].spec,
            target,
            code=study.code_of(study.jobs[job]),
            root=study.root,
            begun=time.time(),
        )
        statuses = [row["status"] for row in content["rows"]["runs"]]
        seconds = content["provenance"]["wall_s"]
        print(
            f"{job}: {statuses.count('ok')} of {len(statuses)} ok in {seconds:.1f} s -> {target}", flush=True
        )
    return 0
