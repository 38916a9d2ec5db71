"""What each job is expected to cost, from recorded runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odestudy.errors import DataError
from odestudy.runtime.store import read_metrics
from odestudy.study.jobs import Job
from odestudy.study.load import Study

MEMORY_MARGIN, TIME_MARGIN, START_MINUTES = 1.5, 2.0, 2.0


@dataclass(frozen=True)
class Expected:
    """A job and the seconds that it is expected to take, its process's start included.

    Attributes:
        seconds: None where nothing like it was ever recorded.
        recorded: whether this very job was, and not only others of its experiment.
        alone: it measures time, and nothing may run beside it.
        gpu: what was recorded ran on one.
        span: when it was recorded, in seconds since 1970, where this very job was.
    """

    job: Job
    question: str
    experiment: str
    seconds: float | None
    recorded: bool
    alone: bool
    gpu: bool
    span: tuple[float, float] | None = None


def expectations(study: Study) -> list[Expected]:
    """Every job of the study, in order; its recorded time, or its experiment's median."""
    found: dict[str, Expected] = {}
    for (question, experiment), jobs in study.jobs_by.items():
        sources = {job.folder: _recorded(job, study) for job in jobs}
        known = [source for source in sources.values() if source]
        typical = statistics.median(map(_took, known)) if known else None
        for job in jobs:
            own = sources[job.folder]
            found.setdefault(
                job.folder,
                Expected(
                    job, question, experiment,
                    seconds=_took(own) if own else typical,
                    recorded=bool(own),
                    alone=bool(job.spec.get("timed")),
                    gpu=any(source["device"] == "cuda" for source in ([own] if own else known)),
                    span=_span(own) if own else None,
                ),
            )  # fmt: skip
    return list(found.values())


def _took(provenance: dict[str, Any]) -> float:
    return provenance.get("process_s", provenance["wall_s"])


def _span(provenance: dict[str, Any]) -> tuple[float, float] | None:
    if "begun_unix_s" not in provenance:
        return None
    end = provenance["begun_unix_s"] + provenance["wall_s"]
    return end - _took(provenance), end


def at_a_time(jobs: Iterable[Expected]) -> float | None:
    """How many of the jobs that need not run alone did run at a time when they were recorded, on average."""
    spans = sorted(job.span for job in jobs if job.span and not job.alone)
    covered = until = 0.0
    for begun, end in spans:
        covered += max(0.0, end - max(begun, until))
        until = max(until, end)
    return sum(end - begun for begun, end in spans) / covered if covered else None


def folders_of(study: Study) -> list[Path]:
    """Where the same tier may have been recorded: this folder, then published ones."""
    published = study.root / "results" / "published"
    return [study.results, *sorted(published.glob(f"{study.tier_name}-*"))]


def _recorded(job: Job, study: Study) -> dict[str, Any] | None:
    """A job's provenance in this folder, else in a published one of the same tier."""
    for folder in folders_of(study):
        metrics = job.metrics(folder)
        if metrics.is_file():
            with suppress(DataError):
                return read_metrics(metrics)["provenance"]
    return None


@dataclass(frozen=True)
class Request:
    """What a job asks a batch system for, for each attempt anew."""

    mib: float
    seconds: float

    def memory_mib(self, attempt: int) -> int:
        """Half more than recorded, and doubled with each further attempt."""
        return math.ceil(MEMORY_MARGIN * self.mib * 2 ** (attempt - 1))

    def minutes(self, attempt: int) -> int:
        """Twice what was recorded and the time to start, and doubled with each further attempt."""
        return math.ceil((TIME_MARGIN * self.seconds / 60 + START_MINUTES) * 2 ** (attempt - 1))


def requests(study: Study) -> dict[str, Request]:
    """Job folder -> request: as recorded, else the most of its experiment, else what the settings assume."""
    found = {}
    assumed = study.settings["assumed"]
    for jobs in study.jobs_by.values():
        sources = {job.folder: _recorded(job, study) for job in jobs}
        known = [source for source in sources.values() if source]
        for folder, own in sources.items():
            like = [own] if own else known
            found[folder] = Request(
                max((s["process_peak_mib"] for s in like), default=assumed["memory_mib"]),
                max(map(_took, like), default=60.0 * assumed["minutes"]),
            )
    return found
