"""The first page: a sentence a claim, the verdicts of its rows, of the first that is decided estimate and what flips it."""

from __future__ import annotations

import pandas as pd

from odestudy.analysis.verdicts import INCONCLUSIVE, REFUTED, SUPPORTED
from odestudy.report.ledger_markdown import OURS, SIGNS, found_and_accepted, lines
from odestudy.report.markdown import escape, pipe_table, shares
from odestudy.study.claims import claim_of


def overview_table(ledger: pd.DataFrame, titles: dict[str, str], shown: set[str]) -> str:
    """One row a claim; each letter under `Verdicts` leads to its row of the ledger, where that is `shown`."""
    claims = ledger.groupby(ledger["id"].map(claim_of), sort=False)
    rows = []
    for claim, parts in claims:
        head = _head(parts)
        estimate = "" if head is None else found_and_accepted(head, ends=False)
        letter = "" if head is None else str(head["id"]).removeprefix(str(claim))
        rows.append(
            [
                str(claim),
                lines(escape(titles[str(claim)]), _flip(head, letter)),
                _verdicts(str(claim), parts, shown),
                f"{letter}: {estimate}" if letter and estimate else estimate,
                "" if head is None else str(head["seeds"]),
            ]
        )
    header = [
        "Id",
        "Claim or question; what would flip its row",
        "Verdicts",
        "Estimate of the first decided row",
        "Seeds",
    ]
    return pipe_table(header, rows, widths=shares(5, 43, 16, 31, 5))


def _head(parts: pd.DataFrame) -> pd.Series | None:
    """The first row with a verdict, else the first with an estimate."""
    judged = parts[parts["verdict"].isin([SUPPORTED, REFUTED, INCONCLUSIVE])]
    shown = judged if len(judged) else parts[parts["estimate"].notna()]
    return shown.iloc[0] if len(shown) else None


def _flip(head: pd.Series | None, letter: str) -> str:
    """What else would flip that row than an estimate beyond what is accepted, which stands before it; or the seeds it needs."""
    flip = "" if head is None or pd.isna(head["flip"]) else str(head["flip"])
    if head is not None and head["verdict"] == INCONCLUSIVE:
        said = flip.partition("; ")[0]
    else:
        said = flip.partition(". ")[2]
    return f"Would flip {letter or 'it'}: {escape(said.removesuffix('.'))}." if said else ""


def _verdicts(claim: str, parts: pd.DataFrame, shown: set[str]) -> str:
    """`✓ a b, ✗ c`: signs with the letters of the rows that they hold for; a claim of one row is spelled out."""
    marks = []
    for verdict, sign in SIGNS.items():
        found = parts[parts["verdict"] == verdict]
        if found.empty:
            continue
        letters = " ".join(_letter(claim, verdict, row, shown) for _, row in found.iterrows())
        marks.append(f"[{sign} {letters}]{{.verdict .{verdict.split()[0]}}}")
    return ", ".join(marks)


def _letter(claim: str, verdict: str, row: pd.Series, shown: set[str]) -> str:
    ours = "\\*" if row["whose"] == OURS else ""
    letter = f"{str(row['id']).removeprefix(claim) or verdict}{ours}"
    return f"[{letter}](#row-{row['id']})" if row["id"] in shown else letter
