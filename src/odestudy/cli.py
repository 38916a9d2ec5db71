"""The command `odestudy`: list what there is, run one job by hand, check whether this machine is ready."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from odestudy.errors import ConfigError, StudyError
from odestudy.plan import Study, load_study, project_root
from odestudy.plan.study import TIERS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; a user's mistake is one line and exit code 2."""
    options = _parser().parse_args(arguments)
    try:
        return options.act(options)
    except StudyError as error:
        print(f"odestudy: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="odestudy", description="A reproducible study of Neural ODEs.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    lists = commands.add_parser("list", help="what there is: questions, experiments, jobs, claims")
    lists.add_argument("--jobs", action="store_true", help="name every job and say whether it has run")
    lists.set_defaults(act=_list)
    runs = commands.add_parser("run", help="run jobs by hand, without Snakemake")
    runs.add_argument(
        "job", nargs="*", help="folder, or the beginning of it, or the key, as `odestudy list --jobs` shows"
    )
    runs.add_argument("--all", action="store_true", help="every job of the tier that has not run yet")
    runs.add_argument("--again", action="store_true", help="also where metrics are there already")
    runs.add_argument(
        "--time-limit-s", type=float, default=None, help="start no further job after so many seconds"
    )
    runs.set_defaults(act=_run)
    for command in (lists, runs):
        command.add_argument(
            "--tier", default=None, help=f"one of {', '.join(TIERS)}; that of config/study.yaml otherwise"
        )
        command.add_argument("--questions", default=None, help="only these questions, separated by commas")
        command.add_argument("--seeds", type=int, default=None, help="at most so many seeds")
    checks = commands.add_parser("check", help="is this machine ready: device, data, versions")
    checks.set_defaults(act=_check)
    return parser


def _study(options: argparse.Namespace) -> Study:
    root = project_root()
    tier = options.tier
    if tier is None:
        from odestudy.plan.config import load_checked

        tier = load_checked(root, "config/study.yaml", "study")["tier"]
    return load_study(root, tier, {"questions": options.questions, "seeds": options.seeds})


def _list(options: argparse.Namespace) -> int:
    study = _study(options)
    print(f"tier {study.run}: {study.tier['title']}")
    for name, spec in study.questions.items():
        print(f"\n{name}: {spec['title']} ({', '.join(spec['claims'])})")
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


def _run(options: argparse.Namespace) -> int:
    import time

    study = _study(options)
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
        content = run_job(study.jobs[job].spec, target, code=study.code_of(study.jobs[job]), root=study.root)
        statuses = [row["status"] for row in content["rows"]["runs"]]
        seconds = content["provenance"]["wall_s"]
        print(
            f"{job}: {statuses.count('ok')} of {len(statuses)} ok in {seconds:.1f} s -> {target}", flush=True
        )
    return 0


def _check(options: argparse.Namespace) -> int:
    from odestudy.check import report

    lines, ready = report(project_root())
    print("\n".join(lines))
    return 0 if ready else 1


if __name__ == "__main__":
    sys.exit(main())
