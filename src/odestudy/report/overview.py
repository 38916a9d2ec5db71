"""The first page's list: a line a claim, with the verdict of its headline and the number that decides it."""

from __future__ import annotations

import pandas as pd

from odestudy.analysis.devices import CPU
from odestudy.analysis.verdicts import REASONS, VERDICTS
from odestudy.report.ledger_markdown import SIGNS, spread_of
from odestudy.report.markdown import escape, pipe_table, shares
from odestudy.study.claims import Headline


def overview_table(
    headlines: pd.DataFrame, ledger: pd.DataFrame, claims: dict[str, Headline], *, links: bool = True
) -> str:
    """One row a claim.

    Args:
        headlines: of each claim the verdict and the row that decides it.
        ledger: the rows with their words.
        claims: what each claim says.
        links: whether each leads to its part of the report, and its verdict is coloured there.
    """
    rows = ledger.set_index("id")
    lines = [
        [
            _title(claims[found["id"]].title, found["id"] if links else None),
            headline_mark(found) if links else f"{SIGNS[found['verdict']]} {found['verdict']}",
            _number(found, rows),
            _tier(found, rows),
        ]
        for _, found in headlines.iterrows()
    ]
    header = ["Claim or question", "Verdict", "The number that decides it", "Tier"]
    return pipe_table(header, lines, widths=shares(48, 14, 31, 7))


def _tier(headline: pd.Series, rows: pd.DataFrame) -> str:
    """The tier of the row that decides, and whether GPUs took part in its run."""
    if pd.isna(headline["tier"]):
        return ""
    device = rows["device"].get(headline["row"], CPU) if "device" in rows else CPU
    return f"{headline['tier']}{'' if device == CPU else ' (GPU)'}"


def tally(headlines: pd.DataFrame) -> str:
    """How many claims have which verdict, those apart that no data could have turned."""
    classes = headlines["class"].fillna("planned")
    sure = headlines[classes == "identity"]
    rest = _counted(headlines[classes != "identity"])
    apart = f"; and apart from these, by theorem, count or arithmetic: {_counted(sure)}" if len(sure) else ""
    return f"Of {len(headlines)} claims and questions: {rest}{apart}."


def _counted(headlines: pd.DataFrame) -> str:
    counts = headlines["verdict"].value_counts()
    return ", ".join(f"{SIGNS[v]} {counts[v]} {v}" for v in VERDICTS if v in counts)


def _title(text: str, claim: str | None) -> str:
    """A claim in one sentence, which leads to its part of the report where there is one."""
    said = escape(text)
    return f"[{said}](#claim-{claim})" if claim else said


def headline_mark(headline: pd.Series) -> str:
    """A claim's verdict with its sign."""
    verdict = headline["verdict"]
    return f"[{SIGNS[verdict]} {verdict}]{{.verdict .{verdict.split()[0]}}}"


def _number(headline: pd.Series, rows: pd.DataFrame) -> str:
    """Name and value of the row that decides, or why there is none."""
    if pd.isna(headline["row"]) or headline["row"] not in rows.index:
        return REASONS[headline["reason"]] if headline["reason"] == "experiment_planned" else ""
    row = rows.loc[headline["row"]].fillna({"short": "", "unit": ""})
    if pd.isna(row["estimate"]):
        return escape(row["why"])
    name = f"{escape(row['short'])}: " if row["short"] else ""
    return f"{name}{spread_of(row)}"
