"""The jobs of an experiment at a tier."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from odestudy.runtime.registry import parameters_of
from odestudy.study.grid import expand
from odestudy.study.jobs import Job
from odestudy.study.parameters import typed_jobs
from odestudy.study.tiers import merged_experiment, where_of


@dataclass(frozen=True)
class Expansion:
    """What all tiers expand the same.

    Attributes:
        questions: name -> its YAML; systems: config/systems.yaml.
        common: what every job says unless its tier or experiment says otherwise.
        device: an override of it; arms: the only ones, or None for all; seeds: at most so many.
    """

    questions: dict[str, dict[str, Any]]
    systems: dict[str, dict[str, Any]]
    common: dict[str, Any]
    device: dict[str, Any]
    arms: Collection[str] | None
    seeds: int | None

    def jobs(self, tier_name: str, tier: dict[str, Any], question: str, name: str) -> list[Job]:
        """All jobs of an experiment; none where the tier drops it."""
        spec = self.questions[question]
        experiment = spec["experiments"][name]
        changes = tier["questions"].get(question, {}).get(name, {})
        if "drop" in changes:
            return []
        own, where = where_of(question, name), f"config/tiers/{tier_name}.yaml: questions.{question}.{name}"
        merged = merged_experiment(experiment, changes, where)
        merged["seeds"] = list(merged.get("seeds", tier["seeds"]))[: self.seeds]
        origin = {axis: where if axis in changes.get("grid", {}) else own for axis in merged["grid"]}
        entries = dict(spec.get("entries", {})) | {"system": self.systems}
        jobs = expand(self.common | tier.get("job", {}) | self.device | merged, entries, own, origin)
        jobs = typed_jobs(jobs, parameters_of(question), partial(_origin, changes, own, where))
        return [job for job in jobs if self.arms is None or _arm_of(job) in (None, *self.arms)]


def _origin(changes: dict[str, Any], own: str, where: str, parameter: str) -> str:
    """File and key of what sets a parameter: the tier where it does, else the question."""
    set_by_tier = parameter in changes.get("base", {}) or parameter in changes.get("grid", {})
    return where if set_by_tier else own


def _arm_of(job: Job) -> str | None:
    arm = job.spec.get("arm")
    return arm["name"] if isinstance(arm, dict) else None
