"""Follow Snakemake's output as it is written to a log, and show what a person wants to know of it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from odestudy.cli.screen import Lines, duration, screen
from odestudy.runtime.progress import OTHER_S, Outlook, Progress, Step
from odestudy.text import one_line

if TYPE_CHECKING:
    from odestudy.study import Study

LOOK_S = 0.5
LAST_LINES = 12


class Follower:
    """Reads the log of one run.

    Args:
        study: what is run.
        log: what Snakemake prints.
        again: the command that goes on where this run ends.
    """

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
            shown.say(f"odestudy: {one_line(note, 1000)}")
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
        yield from _quoted(text.splitlines() or self._lines)
        yield f"    log: {_short(path, self._study.root)}"

    def _conclude(self, code: int) -> None:
        progress = self._progress
        if progress.failed:
            print(f"{len(progress.failed)} failed: {', '.join(map(_named, progress.failed))}")
            print(f"`{self._again}` goes on from here.")
        elif code == 0 and progress.idle:
            print(f"{self._study.run}: nothing to do, everything is up to date.")
        elif code != 0 and not progress.notes:
            print("Snakemake ended early:", *_quoted(self._lines), sep="\n")
            print(f"    log: {_short(self._log, self._study.root)}")


def _quoted(lines: Sequence[str]) -> Iterator[str]:
    """The last of the lines, indented, without what a terminal would take for a command."""
    for line in lines[-LAST_LINES:]:
        yield " " * (4 + len(line) - len(line.lstrip())) + one_line(line)


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
    for one in expectations(study).values():
        metrics = one.job.metrics(study.results)
        if not is_current(metrics, study.code_of(one.job)):
            found[metrics] = OTHER_S if one.seconds is None else one.seconds
    return found
