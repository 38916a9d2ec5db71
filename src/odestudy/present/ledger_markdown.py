"""The ledger for people, as Markdown tables."""

from __future__ import annotations

import pandas as pd

from odestudy.present.markdown import escape, pipe_table
from odestudy.present.values import interval

# Shape beside colour, so that a verdict can be told without seeing colours.
SIGNS = {
    "supported": "✓", "refuted": "✗", "inconclusive": "≈", "answered": "●",
    "not testable at this tier": "–", "no data": "○",
}  # fmt: skip


def decided_table(table: pd.DataFrame) -> str:
    """The ledger for people: claim, verdict, estimate and interval, seeds, what would flip it."""
    if table.empty:
        return "*No claim is decided at this tier.*\n"
    rows = []
    for _, r in table.fillna({"unit": "", "accepted": "", "note": "", "flip": "", "interval": ""}).iterrows():
        found = interval(r["estimate"], r["low"], r["high"], r["unit"])
        ends = f" ({escape(r['interval'])})" if r["interval"] else ""
        accepted = f"; accepted: {escape(r['accepted'])}" if r["accepted"] else ""
        note = f" [{escape(r['note'])}]{{.from}}" if r["note"] else ""
        rows.append(
            [
                str(r["id"]),
                f"{escape(r['says'])} [({escape(r['sources'])})]{{.from}}",
                verdict_mark(r),
                f"{found}{ends}{accepted}",
                str(r["seeds"]),
                f"{escape(r['flip'])}.{note}",
            ]
        )
    header = [
        "Id",
        "Claim (source)",
        "Verdict",
        "Estimate and interval",
        "Seeds",
        "What would flip it",
    ]
    return pipe_table(header, rows, widths=[f":{'-' * share}" for share in (6, 28, 13, 18, 7, 28)])


def undecided_table(table: pd.DataFrame) -> str:
    """The claims without an estimate, and why."""
    rows = [
        [
            str(r["id"]),
            f"{escape(r['says'])} [({escape(r['sources'])})]{{.from}}",
            verdict_mark(r),
            escape(r["why"]),
        ]
        for _, r in table.fillna({"why": ""}).iterrows()
    ]
    widths = [f":{'-' * share}" for share in (6, 54, 16, 24)]
    return pipe_table(["Id", "Claim (source)", "Verdict", "Why"], rows, widths=widths)


def verdict_mark(row: pd.Series) -> str:
    """A verdict with its sign, marked as stale where it is."""
    text = f"[{SIGNS[row['verdict']]} {row['verdict']}]{{.verdict .{row['verdict'].split()[0]}}}"
    return text + (" [stale]{.stale}" if str(row["stale"]) == "True" else "")
