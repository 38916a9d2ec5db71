"""Which jobs of a tier write what a row of the ledger reads: their seeds, and the rule that they are to be judged by."""

from __future__ import annotations

from typing import Any

from odestudy.study.estimands import rule_hash, selections
from odestudy.study.jobs import Job
from odestudy.study.load import Study


def planned(estimand: dict[str, Any], study: Study) -> bool:
    """Whether this tier's jobs contain all that both sides of an estimand select by axes."""
    question, definition = study.tables[estimand["table"]]
    jobs = [j for e in definition["experiments"] for j in study.jobs_by.get((question, e), [])]
    for where in selections(estimand):
        for combination in _combinations(where):
            if not any(_job_fits(job.spec, combination) for job in jobs):
                return False
    return True


def expected_seeds(where: dict[str, Any], estimand: dict[str, Any], study: Study) -> set[int]:
    """The seeds of the jobs that a selection takes rows from: each must be there, failed or not."""
    return {seed for job in expected_jobs(where, estimand, study) for seed in job.spec["seeds"]}


def expected_jobs(where: dict[str, Any], estimand: dict[str, Any], study: Study) -> list[Job]:
    """The jobs that a selection takes rows from.

    Also of a published folder they are those of the tier, so that a run that is not finished is not taken for a smaller one.
    """
    question, definition = study.tables[estimand["table"]]
    combinations = _combinations(where)
    jobs = [job for e in _judged(definition) for job in study.jobs_by.get((question, e), [])]
    return [job for job in jobs if any(_job_fits(job.spec, c) for c in combinations)]


def _combinations(where: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{}]
    for column, wanted in where.items():
        found = [f | {column: w} for f in found for w in (wanted if isinstance(wanted, list) else [wanted])]
    return found


def _job_fits(spec: dict[str, Any], where: dict[str, Any]) -> bool:
    for column, wanted in where.items():
        value = spec.get(column)
        value = value["name"] if isinstance(value, dict) else value
        if column in spec and not isinstance(value, list) and value != wanted:
            return False
    return True


def planned_seeds(claim: dict[str, Any], study: Study) -> int:
    """How many seeds a tier runs of what a row of the ledger reads, the fewest of its sides; 0 where it runs none."""
    estimand = claim.get("estimand")
    if estimand is None or estimand["table"] not in study.tables or not planned(estimand, study):
        return 0
    return min(len(expected_seeds(where, estimand, study)) for where in selections(estimand))


def jobs_read(estimand: dict[str, Any], study: Study) -> list[Job]:
    """The jobs whose rows an estimand reads."""
    question, definition = study.tables[estimand["table"]]
    combinations = [c for where in selections(estimand) for c in _combinations(where)]
    jobs = study.jobs_of(question, _judged(definition))
    return [job for job in jobs if any(_job_fits(job.spec, c) for c in combinations)]


def _judged(definition: dict[str, Any]) -> list[str]:
    """A table's experiments without those that only stand beside the others, with seeds of their own."""
    besides = definition.get("besides", ())
    return [experiment for experiment in definition["experiments"] if experiment not in besides]


def rules_of_jobs(study: Study) -> dict[str, dict[str, str]]:
    """Job's folder -> row of the ledger that is to judge it -> hash of its rule."""
    rules: dict[str, dict[str, str]] = {}
    for claim in study.claims:
        estimand = claim.get("estimand")
        if estimand is not None and estimand["table"] in study.tables:
            for job in jobs_read(estimand, study):
                rules.setdefault(job.folder, {})[claim["id"]] = rule_hash(claim)
    return rules
