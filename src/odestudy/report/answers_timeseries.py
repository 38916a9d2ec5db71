"""What the study says of latent ODEs beside recurrent nets."""

from __future__ import annotations

from odestudy.analysis.facts import Fact, Facts
from odestudy.report.sentences import because, sentence, source


def spirals(f: Facts) -> list[str]:
    """On the released code's spirals, what of it the ODE does, and at random times."""
    return [
        _ratios(
            "a recurrent net that sees the time gaps", f("C28p"), f("C28q"), "on the released code's spirals"
        ),
        _decoder(f("C28r"), f("C28t")),
        _ratios("that net", f("C28a"), f("C28b"), "at random times with less noise"),
    ]


def _ratios(what: str, inside: Fact, beyond: Fact, where: str) -> str:
    parts = [
        f"{verb} with {fact.said} times the error of {what} ({source(fact)})"
        for verb, fact in (("interpolates", inside), ("extrapolates", beyond))
        if fact.known
    ]
    known = [f"{where} the latent ODE {' and '.join(parts)}"] if parts else []
    return sentence(known, f"how a latent ODE compares {where} is not known yet ({because(inside)})")


def _decoder(decoder: Fact, encoder: Fact) -> str:
    """What is due to the decoder being an ODE, and what to the encoder, inside the window."""
    parts = []
    if decoder.known:
        parts.append(
            f"behind the same encoder the ODE has {decoder.said} times the error of a recurrent decoder ({source(decoder)})"
        )
    if encoder.known:
        parts.append(
            f"that encoder without an ODE has {encoder.said} times the error of the recurrent net ({source(encoder)})"
        )
    return sentence(parts, f"what of it the ODE does is not known yet ({because(decoder)})")
