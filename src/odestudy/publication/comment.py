"""A comparison as a comment on a change: the claims whose verdict is another, then rows and metrics, short where none is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from odestudy.analysis.headlines import headlines
from odestudy.analysis.values import interval
from odestudy.publication.compare import DIFFERS, FLIPPED, MISSING, SAME, Comparison, outcome
from odestudy.report.ledger_markdown import SIGNS
from odestudy.report.markdown import escape, pipe_table
from odestudy.study.claims import Headline


def as_markdown(
    found: Comparison, claims: Mapping[str, Headline], rows: Mapping[str, Mapping[str, Any]]
) -> str:
    """What changed, in the Markdown that code hosts show.

    Args:
        found: two results folders side by side.
        claims: each claim and the rows that decide it.
        rows: what configuration says of each row of the ledgers; of those that it no longer has, nothing is told.
    """
    changed = _claims(found, claims)
    moved = found.verdicts[(found.verdicts["outcome"] != SAME) & found.verdicts["id"].isin(list(rows))]
    parts = [f"**Verdicts**, from `{found.a.name}` to `{found.b.name}`: {_told(changed, moved)}"]
    if changed:
        parts.append(_table("Claim", changed))
    if len(moved):
        lines = [
            (escape(f"{r.id}: {rows[str(r.id)]['says']}"), *_sides(r, rows[str(r.id)]))
            for r in moved.itertuples()
        ]
        parts.append(_folded(f"Rows that changed: {len(moved)}", _table("Row", lines)))
    return "\n\n".join([*parts, _metrics(found)]) + "\n"


def _claims(found: Comparison, claims: Mapping[str, Headline]) -> list[tuple[str, str, str]]:
    """Title, verdict there and verdict here of each claim that has another; those whose rows both have are compared."""
    shared = set(found.a.ledger["id"]) & set(found.b.ledger["id"])
    known = {claim: about for claim, about in claims.items() if set(about.rows) <= shared}
    a, b = (headlines(known, side.ledger).set_index("id")["verdict"] for side in (found.a, found.b))
    return [
        (escape(f"{claim}: {about.title}"), *_marked(a[claim], b[claim]))
        for claim, about in known.items()
        if a[claim] != b[claim]
    ]


def _told(changed: list[tuple[str, str, str]], moved: pd.DataFrame) -> str:
    if not changed and moved.empty:
        return "none changed."
    claims = f"{len(changed)} claim{'s' * (len(changed) != 1)}" if changed else "no claim"
    return f"{claims} and {len(moved)} row{'s' * (len(moved) != 1)} changed."


def _sides(row: Any, about: Mapping[str, Any]) -> tuple[str, str]:
    """Verdict, number and interval of a row, there and here."""
    unit = about.get("estimand", {}).get("unit", "1")
    marks = _marked(row.verdict_a, row.verdict_b)
    numbers = (
        interval(row.estimate_a, row.low_a, row.high_a, unit),
        interval(row.estimate_b, row.low_b, row.high_b, unit),
    )
    a, b = (f"{mark}, {escape(number)}" for mark, number in zip(marks, numbers, strict=True))
    return a, b


def _marked(a: Any, b: Any) -> tuple[str, str]:
    """Both verdicts with their signs, the second one bold where it is the opposite."""
    there, here = ("none" if pd.isna(v) else f"{SIGNS[v]} {v}" for v in (a, b))
    return there, f"**{here}**" if outcome(a, b) == FLIPPED else here


def _table(of: str, lines: Iterable[tuple[str, str, str]]) -> str:
    return pipe_table([of, "Was", "Is"], lines).rstrip()


def _folded(summary: str, text: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"


def _metrics(found: Comparison) -> str:
    """How many metrics differ, and where."""
    counts = found.metrics["outcome"].value_counts()
    differing = found.metrics.loc[found.metrics["outcome"] == DIFFERS, "table"].value_counts(sort=False)
    where = ", ".join(f"`{table}` {count}" for table, count in differing.items())
    said = f"Of {len(found.metrics)} metrics {counts.get(DIFFERS, 0)} differ{f' ({where})' if where else ''}"
    return f"{said}, {counts.get(MISSING, 0)} are on one side only."
