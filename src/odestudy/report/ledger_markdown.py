"""The ledger for people, as Markdown tables."""

from __future__ import annotations

import pandas as pd

from odestudy.analysis.values import interval
from odestudy.report.markdown import escape, pipe_table, shares

# Shape beside colour, so that a verdict can be told without seeing colours.
SIGNS = {
    "supported": "✓", "refuted": "✗", "inconclusive": "≈", "answered": "●",
    "not testable at this tier": "–", "no data": "○",
}  # fmt: skip


OURS = "ours"
# Pandoc's tables have no line breaks in a cell that both of its outputs keep; HTML gets one from the style sheet.
_NEW_LINE = "`#linebreak()`{=typst}"

_SOFT = '{.flip typst:text:fill="luma(90)"}'


def decided_table(table: pd.DataFrame) -> str:
    """The ledger for people: claim and what would flip it, verdict, what was estimated and found, seeds."""
    if table.empty:
        return "*No claim is decided at this tier.*\n"
    rows = [
        [_anchor(r), lines(_claim(r), _about(r)), verdict_mark(r), lines(found_and_accepted(r), _estimand(r)), str(r["seeds"])]
        for _, r in table.iterrows()
    ]  # fmt: skip
    header = [
        "Id",
        "Claim (source); what would flip the verdict",
        "Verdict",
        "Estimate and interval",
        "Seeds",
    ]
    return pipe_table(header, rows, widths=shares(5, 46, 11, 33, 5))


def lines(first: str, below: str) -> str:
    """A second line in small type below the first, where there is one."""
    return f"{first}{_NEW_LINE}[{below}]{_SOFT}" if below else first


def _about(row: pd.Series) -> str:
    """What would flip the verdict, why the bound is where it is, and what else to know."""
    row = row.fillna({"flip": "", "because": "", "note": ""})
    flip = f"Would flip it: {escape(row['flip'])}." if row["flip"] else ""
    because = f"The bound: {escape(row['because'])}" if row["because"] else ""
    return " ".join(part for part in (flip, because, escape(row["note"])) if part)


def _estimand(row: pd.Series) -> str:
    return "" if pd.isna(row["estimand"]) else escape(row["estimand"])


def undecided_table(table: pd.DataFrame) -> str:
    """The claims without an estimate, and why."""
    rows = [
        [_anchor(r), _claim(r), verdict_mark(r), escape(r["why"])]
        for _, r in table.fillna({"why": ""}).iterrows()
    ]
    widths = shares(6, 54, 16, 24)
    return pipe_table(["Id", "Claim (source)", "Verdict", "Why"], rows, widths=widths)


def found_and_accepted(row: pd.Series, *, ends: bool = True) -> str:
    """The name of what was estimated, its estimate with interval, what the ends of that are, the accepted region."""
    row = row.fillna({"unit": "", "accepted": "", "interval": "", "short": ""})
    name = f"{escape(row['short'])}: " if row["short"] else ""
    about = f" ({escape(row['interval'])})" if ends and row["interval"] else ""
    unit = f" {row['unit']}" if row["unit"] not in ("", "1") else ""
    accepted = f"; accepted: {escape(row['accepted'] + unit)}" if row["accepted"] else ""
    return f"{name}{interval(row['estimate'], row['low'], row['high'], row['unit'])}{about}{accepted}"


def _anchor(row: pd.Series) -> str:
    return f"[{row['id']}]{{#row-{row['id']}}}"


def _claim(row: pd.Series) -> str:
    whose = "ours, after " if row["whose"] == OURS else ""
    return f"{escape(row['says'])} [({whose}{escape(row['sources'])})]{{.from}}"


def verdict_mark(row: pd.Series) -> str:
    """A verdict with its sign, marked as stale where it is."""
    text = f"[{SIGNS[row['verdict']]} {row['verdict']}]{{.verdict .{row['verdict'].split()[0]}}}"
    return text + (" [stale]{.stale}" if str(row["stale"]) == "True" else "")
