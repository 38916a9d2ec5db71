"""What the study says of latent ODEs beside recurrent nets."""

from __future__ import annotations

from odestudy.analysis.facts import Fact, Facts
from odestudy.report.sentences import because, sentence, source


def spirals(f: Facts) -> list[str]:
    """On irregular spirals, and on the walk-through's own."""
    return [
        _ratios(f("C28a"), f("C28b"), "on irregularly sampled spirals"),
        _ratios(f("C28n"), f("C28o"), "on the walk-through's spirals"),
    ]


def _ratios(inside: Fact, beyond: Fact, where: str) -> str:
    parts = [
        f"{what} with {fact.said} times the error of a recurrent net that sees the time gaps ({source(fact)})"
        for what, fact in (("interpolates", inside), ("extrapolates", beyond))
        if fact.known
    ]
    known = [f"{where} the latent ODE {' and '.join(parts)}"] if parts else []
    return sentence(known, f"how a latent ODE compares {where} is not known yet ({because(inside)})")
