"""A run as the report reads it: its tables, ledger, headlines and jobs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from odestudy.analysis.csvs import read_csv
from odestudy.analysis.labels import Labels, labels_of
from odestudy.report.ledger_words import with_words
from odestudy.study.load import Study


@dataclass(frozen=True)
class ReportedRun:
    """A study, the folder of its results, and where the report is read.

    Attributes:
        paper: true for the PDF, where nothing can be folded, searched or clicked.
    """

    study: Study
    results: Path
    paper: bool = False

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """The ledger's numbers, of the largest tier that judges each row, with the words of the claims."""
        return with_words(read_csv(self.results / "tables" / "whole_ledger.csv"), self.study)

    @cached_property
    def headlines(self) -> pd.DataFrame:
        """One verdict a claim."""
        return read_csv(self.results / "tables" / "headlines.csv")

    @cached_property
    def jobs(self) -> pd.DataFrame:
        """Every job once, whatever experiments share it."""
        return read_csv(self.results / "tables" / "jobs.csv").drop_duplicates("job")

    @cached_property
    def questions_run(self) -> list[str]:
        """The questions of which a job ran; all of them where none did."""
        ran = set(self.jobs[self.jobs["ran"].astype(bool)]["question"])
        return [q for q in self.study.questions if q in ran] or list(self.study.questions)

    def table(self, name: str) -> pd.DataFrame:
        return read_csv(self.results / "tables" / f"{name}.csv")

    def labels(self, table: str) -> Labels:
        question, _ = self.study.tables[table.removesuffix("_summary")]
        return labels_of(self.study, question)

    def info(self, table: str) -> dict[str, dict[str, Any]]:
        question, _ = self.study.tables[table.removesuffix("_summary")]
        return self.study.questions[question]["columns"]
