"""Which jobs are computed first: what a tier names under `first`, wave after wave, within a wave seed by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from odestudy.study.consistency import check_known
from odestudy.study.jobs import Job

JobsBy = Mapping[tuple[str, str], list[Job]]
Point = dict[str, Any]


def priorities_of(jobs_by: JobsBy, first: Sequence[Sequence[Point]]) -> dict[str, int]:
    """Job folder -> priority, the highest first; a job that is not named is not in it.

    Args:
        jobs_by: (question, experiment) -> jobs, as the run is cut.
        first: waves of points, each `question`, `experiment` and, under `where`, values of axes.
    """
    order: dict[str, None] = {}
    for wave in first:
        found = [one for i, point in enumerate(wave) for one in _jobs_of(jobs_by, point, i)]
        order |= dict.fromkeys(job.folder for _, _, job in sorted(found, key=lambda one: one[:2]))
    return {folder: len(order) - i for i, folder in enumerate(order)}


def _jobs_of(jobs_by: JobsBy, point: Point, place: int) -> list[tuple[int, int, Job]]:
    """(position of the first seed, place of the point, job) of the jobs that a point names."""
    jobs = jobs_by.get((point["question"], point["experiment"]), [])
    seeds = list(dict.fromkeys(job.spec["seeds"][0] for job in jobs))
    where = point.get("where", {})
    return [(seeds.index(job.spec["seeds"][0]), place, job) for job in jobs if _is_at(job, where)]


def _is_at(job: Job, where: Mapping[str, Any]) -> bool:
    values = {axis: job.spec.get(axis) for axis in where}
    return all(where[axis] == (v["name"] if isinstance(v, dict) else v) for axis, v in values.items())


def check_first(first: Sequence[Sequence[Point]], questions: Mapping[str, dict[str, Any]], file: str) -> None:
    """Refuse a point whose question, experiment or axis there is not.

    Raises:
        ConfigError: names file and key, and what is allowed.
    """
    for i, wave in enumerate(first):
        for j, point in enumerate(wave):
            at = f"{file}: first.{i}.{j}"
            check_known(point["question"], questions, f"{at}.question", "question")
            experiments = questions[point["question"]]["experiments"]
            check_known(point["experiment"], experiments, f"{at}.experiment", "experiment")
            for axis in point.get("where", {}):
                check_known(
                    axis, experiments[point["experiment"]].get("grid", {}), f"{at}.where.{axis}", "axis"
                )
