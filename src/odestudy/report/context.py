"""What the templates of the report may use, as `r`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import pandas as pd

from odestudy.analysis.csvs import read_csv
from odestudy.analysis.facts import Facts
from odestudy.report.answers import ANSWERS, answer_markdown, in_short
from odestudy.report.figure_markdown import answer_picture
from odestudy.report.figures_shown import FiguresShown
from odestudy.report.folds import CLOSING, opening
from odestudy.report.ledger_shown import LedgerShown
from odestudy.report.markdown import escape
from odestudy.report.runs_shown import RunsShown
from odestudy.report.solver_times import SolverTimes, load_times

SOLVER_TIMES = Path("benchmarks/results/solvers-2cores.csv")


class Context(FiguresShown, LedgerShown, RunsShown):
    """Tables, figures, ledger and jobs of a run, and its answers; every number of the report goes through it."""

    @cached_property
    def facts(self) -> Facts:
        """What the answers may say."""
        return Facts(self.ledger, self.study.claims, self._table_if_any, self.study.tier_name)

    def _table_if_any(self, name: str) -> pd.DataFrame:
        """A table; an empty one where the run leaves its question out."""
        path = self.results / "tables" / f"{name}.csv"
        return read_csv(path) if path.is_file() else pd.DataFrame()

    def answers(self) -> list[str]:
        """The first page: each question with its answer and its picture."""
        folder = self.results / "report"
        return [
            answer_markdown(
                place, answer, self.facts, answer_picture(self.facts, folder, answer.name, paper=self.paper)
            )
            for place, answer in enumerate(ANSWERS, 1)
        ]

    def in_short(self, section: str) -> str:
        """What a section found."""
        return in_short(section, self.facts)

    def solver_times(self) -> SolverTimes | None:
        """The published run of benchmarks/solvers.py, where the clone has one."""
        csv = self.study.root / SOLVER_TIMES
        return load_times(csv) if csv.is_file() else None

    def fold(self, title: str = "Show") -> str:
        """What follows, to `unfold`, opens on demand; on paper it just follows."""
        return "" if self.paper else opening(title)

    def unfold(self) -> str:
        """The end of what `fold` began."""
        return "" if self.paper else CLOSING

    def detail(self, title: str, caller: Callable[[], str]) -> str:
        """What only the page has, folded: the body of a template's call block."""
        return "" if self.paper else f"{opening(title)}\n{caller()}\n{CLOSING}"

    def about_numbers(self) -> str:
        """How to read the numbers of the first page."""
        return (
            "Numbers in brackets are intervals over seeds, which are repetitions of the whole experiment: of 90 % where a "
            "claim is judged, of 95 % elsewhere. How much was run is called a tier; where none is named, it "
            f"is {self.study.tier_name}: {escape(self.study.tier['title'])}."
            + (
                " An experiment that it leaves out is shown of another tier, which tables and figures then name."
                if self.study.lent
                else ""
            )
        )
