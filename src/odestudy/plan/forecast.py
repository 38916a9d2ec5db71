"""What a tier will cost, from recorded runs: hours by question, the critical path, and how many machines help."""

from __future__ import annotations

import heapq
import math
import statistics
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from odestudy.errors import DataError
from odestudy.measure.store import read_metrics
from odestudy.plan.jobs import Job
from odestudy.plan.study import Study

MEMORY_MARGIN, TIME_MARGIN, START_MINUTES = 1.5, 2.0, 2.0


@dataclass(frozen=True)
class Expected:
    """A job and the seconds that it is expected to take, its process's start included.

    Attributes:
        seconds: None where nothing like it was ever recorded.
        recorded: whether this very job was, and not only others of its experiment.
        alone: it measures time, and nothing may run beside it.
        gpu: what was recorded ran on one.
    """

    job: Job
    question: str
    experiment: str
    seconds: float | None
    recorded: bool
    alone: bool
    gpu: bool


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
                ),
            )  # fmt: skip
    return list(found.values())


def _took(provenance: dict[str, Any]) -> float:
    return provenance.get("process_s", provenance["wall_s"])


def _recorded(job: Job, study: Study) -> dict[str, Any] | None:
    """A job's provenance in this folder, else in a published one of the same tier."""
    published = study.root / "results" / "published"
    for folder in (study.results, *sorted(published.glob(f"{study.tier_name}-*"))):
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


def makespan(jobs: Iterable[Expected], workers: int) -> float:
    """Seconds until all jobs of known length are done, by list scheduling in the given order.

    A job that must run alone waits for all workers and holds all of them; it is started when nothing else can be, as
    Snakemake does. Source: Graham 1969, Bounds on multiprocessing timing anomalies, for list scheduling.
    """
    known = [job for job in jobs if job.seconds is not None]
    free = [0.0] * workers
    for job in known:
        if not job.alone:
            heapq.heapreplace(free, free[0] + (job.seconds or 0.0))
    return max(free) + sum(job.seconds or 0.0 for job in known if job.alone)


def critical_path(jobs: Sequence[Expected]) -> tuple[float, Expected | None]:
    """Seconds that no number of machines saves, and the longest job in them.

    Jobs do not wait for each other, but those that measure time run one after the other, so on one machine the path
    is all of them and the longest other one.
    """
    known = [job for job in jobs if job.seconds is not None]
    together = max((j for j in known if not j.alone), key=lambda j: j.seconds or 0.0, default=None)
    longest = max(known, key=lambda j: j.seconds or 0.0, default=None)
    alone = sum(j.seconds or 0.0 for j in known if j.alone)
    return alone + (0.0 if together is None else together.seconds or 0.0), longest
