"""What templates may say of claims: overview, verdicts, the ledger, and what is left open."""

from __future__ import annotations

from typing import Any

import pandas as pd

from odestudy.analysis.values import number
from odestudy.analysis.verdicts import REFUTED, SUPPORTED
from odestudy.report.ledger_markdown import decided_table, short_table, undecided_table, verdict_mark
from odestudy.report.markdown import escape
from odestudy.report.overview import headline_mark, overview_table, tally
from odestudy.report.reported import ReportedRun
from odestudy.statistics.region import ALPHA
from odestudy.study.claims import claim_of


class LedgerShown(ReportedRun):
    """The claims and rows of the ledger of a run, as Markdown."""

    def overview(self) -> str:
        """The first page: a line a claim."""
        return overview_table(self.headlines, self.ledger, self.study.headlines, links=not self.paper)

    def claims(self) -> list[dict[str, Any]]:
        """Each claim with its verdict, its words and its rows, for the part that says how it is decided."""
        rows = self.ledger.assign(claim=self.ledger["id"].map(claim_of))
        return [
            {
                "id": found["id"],
                "mark": headline_mark(found),
                "about": self.study.headlines[found["id"]],
                "rows": rows[rows["claim"] == found["id"]],
            }
            for _, found in self.headlines.iterrows()
        ]

    def verdict(self, claim: str) -> str:
        """The verdict of one row of the ledger, with its sign."""
        return verdict_mark(self.ledger[self.ledger["id"] == claim].iloc[0])

    def decided(self) -> pd.DataFrame:
        """The claims that this run bears on: with an estimate, or with runs that failed to give one."""
        failed = self.ledger["verdict"].isin(["inconclusive", "refuted"])
        return self.ledger[self.ledger["estimate"].notna() | failed]

    def undecided(self) -> pd.DataFrame:
        """The claims of questions that ran on which this run does not bear."""
        rest = self.ledger.drop(self.decided().index)
        return rest[rest["question"].isin(self.questions_run)]

    def ledger_markdown(self, table: pd.DataFrame) -> str:
        """The ledger for people: claim and what would flip it, verdict, estimate and interval, seeds."""
        return short_table(table) if self.paper else decided_table(table)

    def undecided_markdown(self, table: pd.DataFrame) -> str:
        """The claims without an estimate, and why."""
        return undecided_table(table)

    def tally(self) -> str:
        """How many claims have which verdict."""
        chance, expected = self.false_verdicts()
        said = (
            f" Of the {chance} verdicts that rest on data which scatter, chance alone is expected to make {number(expected, 2)} wrong."
            if chance
            else ""
        )
        return tally(self.headlines) + said

    def false_verdicts(self) -> tuple[int, float]:
        """(claims decided by data that scatter, how many of these verdicts chance alone would turn)."""
        rows = self.ledger.set_index("id")
        decided = self.headlines[self.headlines["verdict"].isin([SUPPORTED, REFUTED])]
        scattered = sum(pd.notna(rows.loc[row, "p_for"]) for row in decided["row"] if row in rows.index)
        return scattered, ALPHA * scattered

    def questions_left_out(self) -> str:
        """The titles of the questions of which no job ran, and their rows of the ledger; empty where there are none."""
        out = [q for q in self.study.questions if q not in self.questions_run]
        titles = ", ".join(f"*{escape(self.study.questions[q]['title'])}*" for q in out)
        rows = int(self.ledger["question"].isin(out).sum())
        return f"{titles} ({rows} rows of the ledger)" if out else ""
