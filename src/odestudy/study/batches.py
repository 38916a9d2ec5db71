"""A batch: jobs that one process computes one after another, so that starting it is paid once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odestudy.study.jobs import Job

OUTPUTS = ("metrics.json", "arrays.npz")


@dataclass(frozen=True)
class Batch:
    """Jobs of one question, and unless the tier says otherwise of one module, that ask for the same device and threads.

    Attributes:
        name: the module, or the question where there are several, and a number, as density_fit_3.
        timed: they measure time, so that nothing may run beside them.
        priority: the highest of its jobs'; of two that may start, the one with the higher number does.
    """

    name: str
    question: str
    jobs: tuple[Job, ...]
    threads: int
    timed: bool
    device: str
    priority: int = 0

    def outputs(self, results: Path) -> list[str]:
        """The files that it writes."""
        return [str(job.metrics(results).with_name(name)) for job in self.jobs for name in OUTPUTS]


def batches_of(
    jobs_by: Mapping[tuple[str, str], list[Job]],
    per_process: Mapping[tuple[str, str], int],
    priorities: Mapping[str, int],
    *,
    together: bool = False,
) -> list[Batch]:
    """All jobs in batches, each job in one, by configuration alone.

    Args:
        jobs_by: (question, experiment) -> jobs.
        per_process: (question, experiment) -> the most jobs of it that one process computes; experiments with the same
            number share processes.
        priorities: job folder -> priority; 0 where it is not named.
        together: modules of a question may share processes, which then import them all.
    """
    groups: dict[tuple[Any, ...], list[Job]] = defaultdict(list)
    seen: set[str] = set()
    for (question, experiment), jobs in jobs_by.items():
        most = per_process[question, experiment]
        for job in jobs:
            if job.key not in seen:
                seen.add(job.key)
                spec = job.spec
                apart = "" if together else job.module
                alike = (apart, spec["threads"], bool(spec.get("timed")), spec["device"], most)
                groups[question, *alike].append(job)
    numbers: Counter[str] = Counter()
    batches = []
    for (question, _, threads, timed, device, most), jobs in groups.items():
        for first in range(0, len(jobs), most):
            part = tuple(jobs[first : first + most])
            modules = {job.module for job in part}
            beginning = modules.pop() if len(modules) == 1 else question
            numbers[beginning] += 1
            name = f"{beginning}_{numbers[beginning]}"
            priority = max(priorities.get(job.folder, 0) for job in part)
            batches.append(Batch(name, question, part, threads, timed, device, priority))
    return batches


def jobs_at_a_time(
    experiment: Mapping[str, Any], changes: Mapping[str, Any], tier: Mapping[str, Any], *, timed: bool
) -> int:
    """How many jobs of an experiment one process computes: as the tier says of it, else it itself, else the tier of all.

    What the tier says of all does not hold of what measures time, where a fresh process is part of the measurement.
    """
    default = 1 if timed else tier.get("per_process", 1)
    return changes.get("per_process", experiment.get("per_process", default))
