"""Run jobs by hand, without Snakemake."""

from __future__ import annotations

import argparse
import time
from typing import Any

from odestudy.cli.options import chosen_study, study_options
from odestudy.errors import ConfigError
from odestudy.runtime.lock import held_folder
from odestudy.study import Study
from odestudy.text import meant


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "run",
        help="run jobs by hand, without Snakemake",
        epilog="Example: odestudy run gradients_order --tier smoke",
    )
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
    study = chosen_study(options)
    chosen = list(study.jobs.values()) if options.all else []
    for text in options.job:
        found = [j for j in study.jobs.values() if text and (j.key == text or j.folder.startswith(text))]
        if not found:
            names = {name for j in study.jobs.values() for name in (j.key, j.folder, *j.folder.split("/"))}
            raise ConfigError(
                f"run {text!r}: no such job at tier {study.run}; `odestudy list --jobs` names them{meant(text, names)}"
            )
        chosen += found
    if not chosen:
        raise ConfigError("run: name a job, or give --all; `odestudy list --jobs` names them")
    with held_folder(study.root):
        _run(study, list(dict.fromkeys(j.folder for j in chosen)), options)
    return 0


def _run(study: Study, folders: list[str], options: argparse.Namespace) -> None:
    from odestudy.runtime.batch import one_size
    from odestudy.runtime.job import run_job
    from odestudy.runtime.store import is_current
    from odestudy.study.planned import rules_of_jobs

    begun, judged_by = time.monotonic(), rules_of_jobs(study)
    for folder in folders:
        job = study.jobs[folder]
        target, code = job.metrics(study.results), study.code_of(job)
        if not options.again and is_current(target, code):
            print(f"{folder}: done before (--again repeats it)")
            continue
        if options.time_limit_s is not None and time.monotonic() - begun > options.time_limit_s:
            print(f"{folder}: not started, the time limit is reached")
            continue
        one_size(job.spec["threads"])
        rules = judged_by.get(folder, {})
        content = run_job(job.spec, target, code=code, rules=rules, root=study.root, begun=time.time())
        statuses = [row["status"] for row in content["rows"]["runs"]]
        seconds = content["provenance"]["wall_s"]
        print(
            f"{folder}: {statuses.count('ok')} of {len(statuses)} ok in {seconds:.1f} s -> {target}",
            flush=True,
        )
