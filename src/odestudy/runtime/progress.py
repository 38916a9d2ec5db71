"""The progress of a run of Snakemake, read from the lines that it prints, and the time that is left."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

STARTED = re.compile(r"(?:local)?(?:rule|checkpoint) (\w+):")
FAILED = re.compile(r"Error in rule (\w+):")
ABOUT = re.compile(r" {4}(\w+): (.*)")
TOTAL = re.compile(r"total +(\d+)")
STEPS = re.compile(r"(\d+) of (\d+) steps")
OURS = "odestudy: "
OTHER_S = 5.0  # that a step takes which computes no metrics: tables, figures, pages
TRUST_S = 30.0  # of work, after which the pace so far counts as much as what was recorded


@dataclass
class Step:
    """A step that was started or has failed, with what Snakemake says about it: jobid, output, log, message."""

    rule: str
    about: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> str:
        """The path of its first log, or nothing."""
        return re.split(r" \(|, ", self.about.get("log", ""))[0]

    @property
    def jobs(self) -> int:
        """How many jobs of the study it computes."""
        return self.about.get("output", "").count("metrics.json")


class Progress:
    """What has been read of Snakemake's output.

    Attributes:
        done, total: steps; total is 0 until Snakemake has counted them.
        started, failed: steps in the order of their lines.
        notes: lines that are the study's own, such as a mistake in the configuration.
        idle: Snakemake has found nothing to do.
    """

    def __init__(self) -> None:
        self.done = self.total = 0
        self.started: list[Step] = []
        self.failed: list[Step] = []
        self.notes: list[str] = []
        self.idle = False
        self._open: Step | None = None

    def take(self, line: str) -> None:
        """Read one line, without its end."""
        if self._open and (about := ABOUT.fullmatch(line)):
            self._open.about[about[1]] = about[2]
            return
        if not line.startswith("    "):
            self._open = None
        for pattern, steps in ((STARTED, self.started), (FAILED, self.failed)):
            if named := pattern.fullmatch(line):
                self._open = Step(named[1])
                steps.append(self._open)
        if counted := STEPS.match(line):
            self.done, self.total = int(counted[1]), int(counted[2])
        elif counted := TOTAL.fullmatch(line):
            self.total = int(counted[1])
        elif line.startswith(OURS):
            self.notes.append(line.removeprefix(OURS))
        elif line.startswith("Nothing to be done"):
            self.idle = True

    @property
    def told(self) -> list[Step]:
        """The failed steps of which all has been read."""
        return self.failed[:-1] if self.failed and self._open is self.failed[-1] else self.failed


class Outlook:
    """The share of the work that is done, and the seconds that the rest will take.

    Work is counted in the seconds that the jobs took when they were recorded; the pace, work done a second, is taken
    from the run itself as it goes on.

    Args:
        expected: metrics file that this run will write -> seconds recorded for its job.
    """

    def __init__(self, expected: Mapping[Path, float]) -> None:
        self._expected = dict(expected)
        self._begun_unix_s = time.time() - 1.0  # the clock of a file system may be coarse
        self._begun: float | None = None
        self._most = 0.0
        self.share, self.left_s = 0.0, 0.0

    def update(self, progress: Progress, now: float) -> None:
        """Look again; `now` is of a clock that only goes forward, in seconds."""
        if not progress.total:
            return
        if self._begun is None:
            self._begun = now
        left = self._work_left(progress)
        self._most = max(self._most, left)
        done = self._most - left
        pace = (TRUST_S + done) / (TRUST_S + now - self._begun)
        over = progress.done == progress.total
        self.share = 1.0 if over else max(self.share, done / self._most if self._most else 0.0)
        self.left_s = 0.0 if over else left / pace

    def _work_left(self, progress: Progress) -> float:
        for metrics in [path for path in self._expected if self._written(path)]:
            del self._expected[metrics]
        batches = [step.jobs for step in progress.started if step.jobs]
        jobs_a_step = sum(batches) / len(batches) if batches else 1.0
        others = progress.total - progress.done - len(self._expected) / jobs_a_step
        return sum(self._expected.values()) + OTHER_S * max(0.0, others)

    def _written(self, metrics: Path) -> bool:
        return metrics.is_file() and metrics.stat().st_mtime >= self._begun_unix_s
