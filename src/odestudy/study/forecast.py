"""Expected time and memory of jobs, from recorded runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from odestudy.errors import DataError
from odestudy.runtime.keys import key_of
from odestudy.runtime.packed import read_packed_metrics
from odestudy.runtime.store import read_metrics
from odestudy.study.jobs import Job
from odestudy.study.load import Study
from odestudy.study.tiers import TIERS, tier_of

MEMORY_MARGIN, TIME_MARGIN, START_MINUTES = 1.5, 2.0, 2.0


@dataclass(frozen=True)
class Expected:
    """A job and what it is expected to cost.

    Attributes:
        seconds: None where nothing like it was ever recorded.
        recorded: whether this very job was, and not only others of its experiment.
        gpu: what was recorded ran on one.
        memory_mib: the most that was recorded of it, else of its experiment; None as for the seconds.
    """

    job: Job
    question: str
    experiment: str
    seconds: float | None
    recorded: bool
    gpu: bool
    memory_mib: float | None


def expectations(study: Study) -> dict[str, Expected]:
    """Folder -> what a job is expected to cost, in order: as recorded, else as its experiment's median, most memory."""
    found: dict[str, Expected] = {}
    for (question, experiment), jobs in study.jobs_by.items():
        sources = {job.folder: _recorded(job, study) for job in jobs}
        known = [source for source in sources.values() if source]
        typical = statistics.median(map(_took, known)) if known else None
        for job in jobs:
            own = sources[job.folder]
            like = [own] if own else known
            found.setdefault(
                job.folder,
                Expected(
                    job, question, experiment,
                    seconds=_took(own) if own else typical,
                    recorded=bool(own),
                    gpu=any(source["device"] == "cuda" for source in like),
                    memory_mib=max((source["process_peak_mib"] for source in like), default=None),
                ),
            )  # fmt: skip
    return found


def _took(provenance: dict[str, Any]) -> float:
    return provenance.get("process_s", provenance["wall_s"])


def _recorded(job: Job, study: Study) -> dict[str, Any] | None:
    """A job's provenance in this folder or another tier's, else in a published one, with these or with other seeds."""
    others = [study.root / "results" / tier for tier in TIERS if tier != study.run]
    for results in (study.results, *others):
        metrics = job.metrics(results)
        if metrics.is_file():
            with suppress(DataError):
                return read_metrics(metrics)["provenance"]
    published = _published(study.root, study.tier_name)
    return published.get(job.key) or published.get(_but_seeds(job.spec))


@cache
def _published(root: Path, tier: str) -> dict[str, dict[str, Any]]:
    """Provenance of all that is published, by the key of a job, and by that of its specification but seeds.

    What this tier has comes before what others have.
    """
    folders = sorted((root / "results" / "published").glob("*-*"), reverse=True)
    folders.sort(key=lambda folder: tier_of(folder.name) == tier)  # the last of a job stays
    found: dict[str, dict[str, Any]] = {}
    for content in (
        c for folder in folders for jobs in read_packed_metrics(folder).values() for c in jobs.values()
    ):
        for key in (key_of(content["spec"]), _but_seeds(content["spec"])):
            found[key] = content["provenance"]
    return found


def _but_seeds(spec: dict[str, Any]) -> str:
    return key_of({k: v for k, v in spec.items() if k != "seeds"} | {"number": len(spec["seeds"])})


@dataclass(frozen=True)
class Request:
    """What a batch asks a batch system for, for each attempt anew.

    Attributes:
        mib: the most that one of its jobs is expected to hold; seconds: the sum of what they take.
    """

    mib: float
    seconds: float

    def memory_mib(self, attempt: int) -> int:
        """Half more than recorded, and doubled with each further attempt."""
        return math.ceil(MEMORY_MARGIN * self.mib * 2 ** (attempt - 1))

    def minutes(self, attempt: int) -> int:
        """Twice what was recorded and the time to start, and doubled with each further attempt."""
        return math.ceil((TIME_MARGIN * self.seconds / 60 + START_MINUTES) * 2 ** (attempt - 1))


def request_of(jobs: Sequence[Job], expected: dict[str, Expected], assumed: dict[str, float]) -> Request:
    """What a batch of jobs asks for; `assumed` holds memory_mib and minutes of a job of which nothing is known."""
    found = [expected[job.folder] for job in jobs]
    return Request(
        max(assumed["memory_mib"] if one.memory_mib is None else one.memory_mib for one in found),
        sum(60.0 * assumed["minutes"] if one.seconds is None else one.seconds for one in found),
    )
