"""What templates may say of tables: numbers, summaries, rows, and where they come from."""

from __future__ import annotations

from typing import Any

import pandas as pd

from odestudy.analysis.selecting import select
from odestudy.analysis.values import lookup
from odestudy.report.folds import folded
from odestudy.report.markdown import escape, medians_markdown, rows_markdown, summary_markdown
from odestudy.report.of_tier import tier_said
from odestudy.report.reported import ReportedRun

# Tables of more rows are folded on the page, or left out on paper, where wide ones break their words apart, too.
LONG_TABLE_ROWS, LONG_PAPER_ROWS, WIDE_PAPER_COLUMNS = 12, 4, 12


class TablesShown(ReportedRun):
    """The tables of a run, as Markdown."""

    def label(self, table: str, column: str, value: str) -> str:
        """What a value of a table's column is called, as Markdown."""
        return escape(self.labels(table).of(column, value))

    def value(self, table: str, column: str, digits: int = 3, **where: Any) -> str:
        """A mean with its interval and unit from a summary table."""
        unit = self.info(table).get(column, {}).get("unit", "")
        return lookup(self.table(f"{table}_summary"), column, where, unit, digits)

    def cell(self, table: str, column: str, digits: int = 3, **where: Any) -> str:
        """One number of a long table, the first row that fits."""
        return lookup(
            self.table(table), column, where, self.info(table).get(column, {}).get("unit", ""), digits
        )

    def count(self, table: str, **where: Any) -> str:
        """How many rows of a long table fit."""
        return str(len(select(self.table(table), where)))

    def summary(self, name: str, *columns: str, **where: Any) -> str:
        """A summary table, or some of its rows, with its source line; what is the same in all rows shown is left out."""
        _, definition = self.study.tables[name]
        wanted = definition["summary"]
        shown, table = list(columns) or wanted["columns"], select(self.table(f"{name}_summary"), where)
        by = [b for b in wanted["by"] if b not in where or isinstance(where[b], list)]
        of = wanted.get("of", "runs")
        text = summary_markdown(table, by, shown, self.info(name), self.labels(name), of)
        path = f"tables/{name}_summary.csv"
        about = _means(table, shown, self.info(name)) + self._of_tier(name)
        return self._with_source(text, path, definition["title"], about)

    def medians(self, name: str, *columns: str, **where: Any) -> str:
        """Medians with quartiles over the runs of a table, where means say nothing: an error may be infinite."""
        _, definition = self.study.tables[name]
        by = [b for b in definition["summary"]["by"] if b not in where or isinstance(where[b], list)]
        table = select(self.table(name), where)
        text = medians_markdown(table, by, list(columns), self.info(name), self.labels(name))
        about = (
            f"Medians over runs, with quartiles; what has no number counts as infinite. {self._of_tier(name)}"
        )
        return self._with_source(text, f"tables/{name}.csv", definition["title"], about)

    def rows(
        self,
        name: str,
        having: str = "",
        *,
        where: dict[str, Any] | None = None,
        whole: bool = False,
        **columns: str,
    ) -> str:
        """Some columns of a long table, of the rows that have a value of `having` and fit `where`; `whole`: not folded."""
        _, definition = self.study.tables[name]
        table = select(self.table(name), where or {})
        if having:
            table = table.dropna(subset=[having]) if having in table else table.iloc[:0]
        text = rows_markdown(table, columns, self.labels(name))
        path = f"tables/{name}.csv"
        if whole:
            return f"{text}\n{self.source(path, definition['title'], self._of_tier(name))}"
        return self._with_source(text, path, definition["title"], self._of_tier(name))

    def _of_tier(self, name: str) -> str:
        question, definition = self.study.tables[name]
        said = tier_said(self.study, question, definition["experiments"])
        return f"{escape(said)} " if said else ""

    def _with_source(self, text: str, path: str, title: str, about: str = "") -> str:
        """A table and where it comes from; a long one folded, on paper a long or wide one left out."""
        rows, columns = max(0, text.count("\n") - 2), text.partition("\n")[0].count("|") - 1
        if self.paper and (
            text.startswith("*No data") or rows > LONG_PAPER_ROWS or columns > WIDE_PAPER_COLUMNS
        ):
            return ""
        if rows <= LONG_TABLE_ROWS:
            return f"{text}\n{self.source(path, title, about)}"
        return f"{folded(f'{title}: {rows} rows', text)}\n{self.source(path, title, about)}"

    def source(self, path: str, title: str, about: str = "") -> str:
        """A line that links the data, says what its numbers are, and names the command that remakes it."""
        if self.paper:
            return f"::: {{.source}}\n{escape(title)}. {about}\n:::\n"
        target = f"results/{self.study.run}/{path}"
        return (
            f"::: {{.source}}\n{escape(title)}. {about}"
            f"Data: [{escape(path)}](../{path}). Remake: `snakemake {target}`\n:::\n"
        )


def _means(table: pd.DataFrame, columns: list[str], info: dict[str, dict[str, Any]]) -> str:
    """What the numbers of a summary are."""
    if not any(f"{c}_low" in table and table[f"{c}_low"].notna().any() for c in columns):
        return ""
    logs = [c for c in columns if info.get(c, {}).get("scale") == "log"]
    geometric = ", geometric where they span decades" if logs else ""
    return f"Means{geometric}, with 95 % intervals over seeds. "
