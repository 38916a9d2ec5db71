"""The ledger for people, as Markdown tables."""

from __future__ import annotations

import pandas as pd

from odestudy.present.markdown import escape, pipe_table, shares
from odestudy.present.values import interval

# Shape beside colour, so that a verdict can be told without seeing colours.
SIGNS = {
    "supported": "✓", "refuted": "✗", "inconclusive": "≈", "answered": "●",
    "not testable at this tier": "–", "no data": "○",
}  # fmt: skip


# Pandoc's tables have no line breaks in a cell that both of its outputs keep; HTML gets one from the style sheet.
_NEW_LINE = "`#linebreak()`{=typst}"

_SOFT = '{.flip typst:text:fill="luma(90)"}'


def decided_table(table: pd.DataFrame) -> str:
    """The ledger for people: claim and what would flip it, verdict, estimate and interval, seeds."""
    if table.empty:
        return "*No claim is decided at this tier.*\n"
    rows = []
    for _, r in table.fillna({"flip": "", "note": ""}).iterrows():
        flip = f"Would flip it: {escape(r['flip'])}." if r["flip"] else ""
        below = " ".join(part for part in (flip, escape(r["note"])) if part)
        rows.append(
            [
                _anchor(r),
                f"{_claim(r)}{_NEW_LINE}[{below}]{_SOFT}" if below else _claim(r),
                verdict_mark(r),
                found_and_accepted(r),
                str(r["seeds"]),
            ]
        )
    header = [
        "Id",
        "Claim (source); what would flip the verdict",
        "Verdict",
        "Estimate and interval",
        "Seeds",
    ]
    return pipe_table(header, rows, widths=shares(6, 53, 14, 21, 6))


def undecided_table(table: pd.DataFrame) -> str:
    """The claims without an estimate, and why."""
    rows = [
        [_anchor(r), _claim(r), verdict_mark(r), escape(r["why"])]
        for _, r in table.fillna({"why": ""}).iterrows()
    ]
    widths = shares(6, 54, 16, 24)
    return pipe_table(["Id", "Claim (source)", "Verdict", "Why"], rows, widths=widths)


def found_and_accepted(row: pd.Series, *, ends: bool = True) -> str:
    """An estimate with its interval, what the ends of the interval are, and the accepted region."""
    row = row.fillna({"unit": "", "accepted": "", "interval": ""})
    about = f" ({escape(row['interval'])})" if ends and row["interval"] else ""
    accepted = f"; accepted: {escape(row['accepted'])}" if row["accepted"] else ""
    return f"{interval(row['estimate'], row['low'], row['high'], row['unit'])}{about}{accepted}"


def _anchor(row: pd.Series) -> str:
    return f"[{row['id']}]{{#row-{row['id']}}}"


def _claim(row: pd.Series) -> str:
    return f"{escape(row['says'])} [({escape(row['sources'])})]{{.from}}"


def verdict_mark(row: pd.Series) -> str:
    """A verdict with its sign, marked as stale where it is."""
    text = f"[{SIGNS[row['verdict']]} {row['verdict']}]{{.verdict .{row['verdict'].split()[0]}}}"
    return text + (" [stale]{.stale}" if str(row["stale"]) == "True" else "")
