"""Tables whose rows are made of several runs, or of what others report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.runtime.registry import derived_of
from odestudy.study.load import Study

Rows = list[dict[str, Any]]


def derived_rows(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """The rows of a table with a key `derive`."""
    return (DERIVED | derived_of(question))[definition["derive"]](study, question, definition)


def protocol_card(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """Paper, released code and this study side by side, a row a difference."""
    card = study.sources.get(question, {}).get("protocol", ())
    jobs = study.jobs_of(question, definition["experiments"])
    return [{**entry, "status": "ok", "job": job.folder} for job in jobs[:1] for entry in card]


DERIVED: dict[str, Callable[[Study, str, dict[str, Any]], Rows]] = {
    "protocol_card": protocol_card,
}
