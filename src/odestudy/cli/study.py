"""Run a tier through Snakemake, with one line of progress; all that Snakemake says goes to a log."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from typing import TYPE_CHECKING, Any

from odestudy.cli.options import chosen_study, study_options
from odestudy.errors import ConfigError
from odestudy.userdata.options import positive

if TYPE_CHECKING:
    from odestudy.study import Study

SNAKEMAKE = (sys.executable, "-m", "snakemake")
INTERRUPTED = 130


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "study",
        help="run a tier and write its report, as `make study` does",
        epilog="Example: odestudy study --tier smoke --cores 2",
    )
    study_options(parser)
    parser.add_argument("--arms", default=None, help="only these arms, separated by commas")
    parser.add_argument("--cores", default="all", help="how many cores are used")
    parser.add_argument(
        "--gpus", type=positive, default=1, help="how many GPUs are shared out among the jobs"
    )
    parser.add_argument(
        "--gpu-share", type=positive, default=1, help="how many jobs may use one GPU at a time"
    )
    parser.add_argument(
        "--first",
        action="store_true",
        help="only what the tier names under `first`, without tables and report",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="show what Snakemake says, and keep no log of it"
    )
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    """Run the tier; the exit status is Snakemake's."""
    from odestudy.cli.follower import Follower
    from odestudy.runtime.group import started

    study = chosen_study(options)
    command = _command(study, options)
    report = study.results / "report"
    ending = f"The report: {report / 'index.html'} and report.pdf beside it"
    try:
        if options.verbose:
            with started(command, study.root) as process:
                code = process.wait()
        else:
            log = study.results / f"logs/snakemake-{time.strftime('%Y%m%d-%H%M%S')}.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            with started(command, study.root, log) as process:
                code = Follower(study, log, _again(study, options)).follow(process)
    except KeyboardInterrupt:
        print(f"Stopped; `{_again(study, options)}` goes on from here.")
        return INTERRUPTED
    if code == 0 and not options.first:
        print(ending)
    return code


def _chosen(study: Study, options: argparse.Namespace) -> dict[str, str]:
    found = {"tier": study.run, "questions": options.questions, "arms": options.arms, "seeds": options.seeds}
    return {key: str(value) for key, value in found.items() if value is not None}


def _command(study: Study, options: argparse.Namespace) -> list[str]:
    settings = [f"{key}={value}" for key, value in _chosen(study, options).items()]
    resources = ["--resources", f"gpu={options.gpus * options.gpu_share}"]
    if options.gpu_share != 1:
        settings.append(f"gpu_share={options.gpu_share}")
    results = study.results.relative_to(study.root)
    named = [batch for batch in study.batches if batch.priority]
    if options.first and not named:
        raise ConfigError(f"config/tiers/{study.run}.yaml: nothing of what is chosen is named under `first`")
    files = [file for batch in named for file in (*batch.outputs(results), f"{results}/done/{batch.name}")]
    targets = files if options.first else []
    # By default Snakemake weighs sums of priorities, and two jobs may outweigh the one that is to be first.
    strict = ["--scheduler", "greedy"] if named else []
    return [*SNAKEMAKE, *targets, "--cores", options.cores, *strict, *resources, "--config", *settings]


def _again(study: Study, options: argparse.Namespace) -> str:
    """The command that goes on with this run."""
    settings = _chosen(study, options) | ({"cores": options.cores} if options.cores != "all" else {})
    settings |= {"gpu_share": str(options.gpu_share)} if options.gpu_share != 1 else {}
    settings |= {"first": "1"} if options.first else {}
    return " ".join(["make study", *(f"{key.upper()}={shlex.quote(v)}" for key, v in settings.items())])
