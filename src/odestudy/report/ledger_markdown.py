"""The ledger for people, as Markdown tables."""

from __future__ import annotations

import pandas as pd

from odestudy.analysis.values import interval
from odestudy.report.markdown import escape, pipe_table, shares
from odestudy.statistics.estimates import RANGE

# Shape beside colour, so that a verdict can be told without seeing colours.
SIGNS = {
    "supported": "✓", "refuted": "✗", "inconclusive": "≈", "answered": "●", "open": "◌", "planned": "…",
    "not testable at this tier": "–", "no data": "○",
}  # fmt: skip

# Pandoc's tables have no line breaks in a cell that both of its outputs keep; HTML gets one from the style sheet.
_NEW_LINE = "`#linebreak()`{=typst}"

_SOFT = '{.flip typst:text:fill="luma(90)"}'


def decided_table(table: pd.DataFrame) -> str:
    """The ledger for people: claim and what would change it, verdict, what was estimated and found, seeds and tier."""
    if table.empty:
        return "*No claim is decided at this tier.*\n"
    rows = [
        [_anchor(r), lines(_claim(r), _about(r)), verdict_mark(r), lines(found_and_accepted(r), _estimand(r)), lines(str(r["seeds"]), str(r.get("tier", "")))]
        for _, r in table.iterrows()
    ]  # fmt: skip
    header = [
        "Id",
        "Claim (source); what would change the verdict",
        "Verdict",
        "Estimate and interval",
        "Seeds, tier",
    ]
    return pipe_table(header, rows, widths=shares(5, 45, 11, 32, 7))


def short_table(table: pd.DataFrame) -> str:
    """The ledger on paper: a line a row, without what would change it and what it rests on."""
    if table.empty:
        return "*No claim is decided at this tier.*\n"
    rows = [
        [_anchor(r), escape(r["says"]), verdict_mark(r), found_and_accepted(r, ends=False)]
        for _, r in table.iterrows()
    ]
    return pipe_table(["Id", "Claim", "Verdict", "Estimate and interval"], rows, widths=shares(5, 48, 12, 35))


def lines(first: str, below: str) -> str:
    """A second line in small type below the first, where there is one."""
    return f"{first}{_NEW_LINE}[{below}]{_SOFT}" if below else first


def _about(row: pd.Series) -> str:
    """What would change the verdict, why the bound is where it is, whether it was moved, and what else to know."""
    parts = (
        ("Would change it: ", row["change"], "."),
        ("The bound: ", row["because"], ""),
        ("The rule was changed: ", row["changed"], "; fresh seeds judge it."),
        ("Smaller tiers ", row["smaller"], "."),
        ("", row["note"], ""),
    )
    return " ".join(
        f"{before}{escape(text)}{after}" for before, text, after in parts if isinstance(text, str) and text
    )


def _estimand(row: pd.Series) -> str:
    baselines = f" Beside it: {escape(row['baselines'])}." if row["baselines"] else ""
    return ("" if pd.isna(row["estimand"]) else escape(row["estimand"]) + ".") + baselines


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
    row = row.fillna({"unit": "", "accepted": "", "ends": "", "short": ""})
    name = f"{escape(row['short'])}: " if row["short"] else ""
    about = f" ({escape(row['ends'])})" if ends and row["ends"] else ""
    unit = f" {row['unit']}" if row["unit"] not in ("", "1") else ""
    accepted = f"; accepted: {escape(row['accepted'] + unit)}" if row["accepted"] else ""
    return f"{name}{spread_of(row)}{about}{accepted}"


def spread_of(row: pd.Series) -> str:
    """An estimate with its interval in brackets, or with its range in words: the two never look alike."""
    between = "range" if row["interval"] == RANGE else "interval"
    return interval(row["estimate"], row["low"], row["high"], row["unit"], ends=between)


def _anchor(row: pd.Series) -> str:
    return f"[{row['id']}]{{#row-{row['id']}}}"


def _claim(row: pd.Series) -> str:
    whose = "ours, after " if row["class"] == "finding" else ""
    return f"{escape(row['says'])} [({whose}{escape(row['sources'])})]{{.from}}"


def verdict_mark(row: pd.Series) -> str:
    """A verdict with its sign, marked as stale where it is."""
    text = f"[{SIGNS[row['verdict']]} {row['verdict']}]{{.verdict .{row['verdict'].split()[0]}}}"
    return text + (" [stale]{.stale}" if str(row["stale"]) == "True" else "")
