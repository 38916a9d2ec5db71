"""What templates may say of jobs: what ran on what, what failed, and what the tier leaves out."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd

from odestudy.report.folds import folded
from odestudy.report.jobs_markdown import jobs_table, tasks_table
from odestudy.report.reported import ReportedRun
from odestudy.report.runs import dropped_table, failures_table, outcomes, what_ran


class RunsShown(ReportedRun):
    """The jobs of a run, as Markdown."""

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        return outcomes(self.study, self.table)

    def ran(self) -> dict[str, Any]:
        """What was run on what."""
        return what_ran(self.jobs, self.outcomes)

    def failures(self) -> str:
        """Rows by status for every long table that has one."""
        return failures_table(self.outcomes)

    def dropped(self) -> str:
        """What this tier changes or leaves out."""
        return dropped_table(self.study)

    def jobs_markdown(self) -> str:
        """Every job; on paper a line a task, for hundreds of jobs fill ten pages."""
        if self.paper:
            return tasks_table(self.jobs)
        return folded(f"All {len(self.jobs)} jobs", jobs_table(self.jobs))
