"""Hashes of the parts of configuration that tables, ledger, figures and report each depend on.

Numbers and words are apart: a reworded claim, label or title changes what shows it, and no table.
"""

from __future__ import annotations

from typing import Any

from odestudy.runtime.keys import key_of
from odestudy.study.estimands import ESTIMAND_WORDS
from odestudy.study.load import Study

CLAIM_WORDS = ("says", "sources", "flip", "note", "changed")
COLUMN_NUMBERS = ("scale", "range", "quantum", "factor", "until", "measured")


def numbers_of(study: Study, question: str) -> str:
    """What a question's tables depend on beside metrics: their definitions, their jobs, the scales of their columns."""
    spec = study.questions[question]
    return key_of(
        {
            "tables": {name: _without(table, "title") for name, table in spec["tables"].items()},
            "columns": [(c, _only(about, *COLUMN_NUMBERS)) for c, about in spec["columns"].items()],
            "axes": [(e, list(experiment.get("grid", {}))) for e, experiment in spec["experiments"].items()],
            "jobs": _jobs(study, question),
            "sources": study.sources.get(question, {}),
            "margins": {
                name: _without(margin.model_dump(), "because")
                for name, margin in study.margins.get(question, {}).items()
            },
        }
    )


def ledger_numbers(study: Study) -> str:
    """What the ledger depends on beside its tables: estimands, rules, headlines, and the jobs of the tier."""
    return key_of(
        {
            "tier": [study.tier_name, study.tier["verdicts"]],
            "claims": [_claim_numbers(claim) for claim in study.claims],
            "headlines": {
                claim: [about.rows, about.planned is None] for claim, about in study.headlines.items()
            },
            "questions": {question: numbers_of(study, question) for question in study.questions},
        }
    )


def words_of(study: Study, question: str) -> str:
    """What a question's figures depend on beside tables and arrays: their titles, labels and units."""
    spec = study.questions[question]
    labels = {
        axis: {name: entry["label"] for name, entry in entries.items()}
        for axis, entries in {"system": study.systems, **spec.get("entries", {})}.items()
    }
    return key_of({"figures": spec["figures"], "columns": spec["columns"], "labels": labels})


def _jobs(study: Study, question: str) -> list[tuple[str, list[str]]]:
    return [(e, [job.folder for job in jobs]) for (q, e), jobs in study.jobs_by.items() if q == question]


def _claim_numbers(claim: dict[str, Any]) -> dict[str, Any]:
    numbers = _without(claim, *CLAIM_WORDS)
    if "estimand" in claim:
        numbers["estimand"] = _without(claim["estimand"], *ESTIMAND_WORDS)
    if "rule" in claim:
        numbers["rule"] = _without(claim["rule"], "because")
    if "beside" in claim:
        numbers["beside"] = [_without(entry, "is", "source") for entry in claim["beside"]]
    return numbers


def _only(mapping: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: mapping[key] for key in keys if key in mapping}


def _without(mapping: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}
