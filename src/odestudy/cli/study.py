"""Run a tier through Snakemake, with one line of progress; all that Snakemake says goes to a log."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from odestudy.cli.options import chosen_study, study_options
from odestudy.cli.screen import Lines, duration, screen
from odestudy.runtime.progress import OTHER_S, Outlook, Progress, Step

if TYPE_CHECKING:
    from odestudy.study import Study

SNAKEMAKE = (sys.executable, "-m", "snakemake")
LOOK_S = 0.5
LAST_LINES = 12
INTERRUPTED = 130


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("study", help="run a tier and write its report, as `make study` does")
    study_options(parser)
    parser.add_argument("--arms", default=None, help="only these arms, separated by commas")
    parser.add_argument("--cores", default="all", help="how many cores are used")
    parser.add_argument("--gpus", type=int, default=1, help="how many GPUs are shared out among the jobs")
    parser.add_argument(
        "--verbose", action="store_true", help="show what Snakemake says, and keep no log of it"
    )
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    """Run the tier; the exit status is Snakemake's."""
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
                code = _Follower(study, log, _again(study, options)).follow(process)
    except KeyboardInterrupt:
        print(f"Stopped; `{_again(study, options)}` goes on from here.")
        return INTERRUPTED
    if code == 0:
        print(ending)
    return code


def _chosen(study: Study, options: argparse.Namespace) -> dict[str, str]:
    found = {"tier": study.run, "questions": options.questions, "arms": options.arms, "seeds": options.seeds}
    return {key: str(value) for key, value in found.items() if value is not None}


def _command(study: Study, options: argparse.Namespace) -> list[str]:
    settings = [f"{key}={value}" for key, value in _chosen(study, options).items()]
    resources = ["--resources", f"gpu={options.gpus}"]
    return [*SNAKEMAKE, "--cores", options.cores, *resources, "--config", *settings]


def _again(study: Study, options: argparse.Namespace) -> str:
    """The command that goes on with this run."""
    settings = _chosen(study, options) | ({"cores": options.cores} if options.cores != "all" else {})
    return " ".join(["make study", *(f"{key.upper()}={shlex.quote(v)}" for key, v in settings.items())])


class _Follower:
    """Reads the log as it grows, and shows what a person wants to know of it."""

    def __init__(self, study: Study, log: Path, again: str) -> None:
        self._study, self._log, self._again = study, log, again
        self._progress = Progress()
        self._lines: list[str] = []
        self._rest = ""
        self._said = 0  # notes
        self._told = 0  # failed steps

    def follow(self, process: subprocess.Popen[bytes]) -> int:
        """Watch until Snakemake ends; its exit status."""
        shown = screen()
        try:
            outlook = Outlook(_expected(self._study))
            with self._log.open(encoding="utf-8", errors="replace") as file:
                while process.poll() is None:
                    self._read(file, shown)
                    self._show(outlook, shown)
                    time.sleep(LOOK_S)
                self._read(file, shown)
                self._show(outlook, shown)
        finally:
            shown.close()
        self._conclude(process.returncode)
        return process.returncode

    def _read(self, file: TextIO, shown: Lines) -> None:
        known = self._progress.total
        *lines, self._rest = (self._rest + file.read()).split("\n")
        for line in lines:
            self._progress.take(line)
            self._lines.append(line)
        if self._progress.total and not known:
            shown.say(f"Log: {_short(self._log, self._study.root)}")
        for note in self._progress.notes[self._said :]:
            self._said += 1
            shown.say(f"odestudy: {note}")
        for step in self._progress.told[self._told :]:
            self._told += 1
            for line in self._complaint(step):
                shown.say(line)

    def _show(self, outlook: Outlook, shown: Lines) -> None:
        outlook.update(self._progress, time.monotonic())
        done, total, failed = self._progress.done, self._progress.total, len(self._progress.failed)
        if total:
            lost = f", {failed} failed" if failed else ""
            left = f", {duration(outlook.left_s)} left" if done < total else ""
            shown.show(outlook.share, f"{self._study.run}: {done} of {total} steps{lost}{left}")

    def _complaint(self, step: Step) -> Iterator[str]:
        """The last lines of a failed step's log, and where that is; of the run's log where it has none."""
        yield f"Failed: {_named(step)}"
        path = self._study.root / step.log if step.log else self._log
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        yield from (f"    {line}" for line in (text.splitlines() or self._lines)[-LAST_LINES:])
        yield f"    log: {_short(path, self._study.root)}"

    def _conclude(self, code: int) -> None:
        progress = self._progress
        if progress.failed:
            print(f"{len(progress.failed)} failed: {', '.join(map(_named, progress.failed))}")
            print(f"`{self._again}` goes on from here.")
        elif code == 0 and progress.idle:
            print(f"{self._study.run}: nothing to do, everything is up to date.")
        elif code != 0 and not progress.notes:
            last = [f"    {line}" for line in self._lines[-LAST_LINES:]]
            print(
                "\n".join(
                    ["Snakemake ended early:", *last, f"    log: {_short(self._log, self._study.root)}"]
                )
            )


def _named(step: Step) -> str:
    wildcards = step.about.get("wildcards") or step.log
    return f"{step.rule} ({wildcards})" if wildcards else step.rule


def _short(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _expected(study: Study) -> dict[Path, float]:
    """Metrics that are to be computed, with the seconds that were recorded for their jobs."""
    from odestudy.runtime.store import is_current
    from odestudy.study.forecast import expectations

    found = {}
    for one in expectations(study):
        metrics = one.job.metrics(study.results)
        if not is_current(metrics, study.code_of(one.job)):
            found[metrics] = OTHER_S if one.seconds is None else one.seconds
    return found
