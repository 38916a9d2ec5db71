"""Pieces of sentences that depend on data."""

from __future__ import annotations

from odestudy.analysis.facts import Fact
from odestudy.report.markdown import escape


def because(fact: Fact) -> str:
    """Why there is no number."""
    return escape(fact.why)


def source(fact: Fact) -> str:
    """On how much a number rests, and what its verdict leaves open."""
    if fact.sure:
        return fact.source
    left = {
        "coarse": "not yet as precise as asked",
        "still_learning": "not decided: half the training gives another result, so a longer one may, too",
    }
    return f"{fact.source}, {left.get(fact.row['reason'], f'not decided: {because(fact)}')}"


def sentence(parts: list[str], otherwise: str, glue: str = "; ") -> str:
    """Parts as one sentence, or what is said where there are none."""
    text = glue.join(parts) or otherwise
    return f"{text[0].upper()}{text[1:]}."


def and_list(parts: list[str]) -> str:
    """a, b and c."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
