"""The report: what its templates may say, and Jinja2 to Markdown to HTML and PDF."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from html import escape as html_escape
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from odestudy.analysis.csvs import read_csv
from odestudy.analysis.facts import Facts
from odestudy.analysis.labels import Labels, labels_of
from odestudy.analysis.selecting import select
from odestudy.analysis.values import lookup, number
from odestudy.analysis.verdicts import REFUTED, SUPPORTED
from odestudy.report.answers import ANSWERS, answer_markdown, in_short
from odestudy.report.figure_markdown import answer_picture, figure_markdown
from odestudy.report.jobs_markdown import jobs_table, tasks_table
from odestudy.report.ledger_markdown import decided_table, short_table, undecided_table, verdict_mark
from odestudy.report.ledger_words import with_words
from odestudy.report.markdown import escape, rows_markdown, summary_markdown
from odestudy.report.overview import headline_mark, overview_table, tally
from odestudy.report.pages import write_html, write_pdf
from odestudy.report.runs import dropped_table, failures_table, outcomes, what_ran
from odestudy.report.solver_times import SolverTimes, load_times
from odestudy.runtime.files import write_atomically
from odestudy.statistics.region import ALPHA
from odestudy.study.claims import claim_of
from odestudy.study.load import Study

# Tables of more rows are folded on the page, or left out on paper, where wide ones break their words apart, too.
LONG_TABLE_ROWS, LONG_PAPER_ROWS, WIDE_PAPER_COLUMNS = 12, 4, 12
SOLVER_TIMES = Path("benchmarks/results/solvers-2cores.csv")


@dataclass(frozen=True)
class Context:
    """What the templates may use; every number goes through it.

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
    def jobs(self) -> pd.DataFrame:
        """Every job once, whatever experiments share it."""
        return read_csv(self.results / "tables" / "jobs.csv").drop_duplicates("job")

    def labels(self, table: str) -> Labels:
        question, _ = self.study.tables[table.removesuffix("_summary")]
        return labels_of(self.study, question)

    def label(self, table: str, column: str, value: str) -> str:
        """What a value of a table's column is called, as Markdown."""
        return escape(self.labels(table).of(column, value))

    def table(self, name: str) -> pd.DataFrame:
        return read_csv(self.results / "tables" / f"{name}.csv")

    def info(self, table: str) -> dict[str, dict[str, Any]]:
        question, _ = self.study.tables[table.removesuffix("_summary")]
        return self.study.questions[question]["columns"]

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
        return self._with_source(text, path, definition["title"], _means(table, shown, self.info(name)))

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
        if whole and not self.paper:
            return f"{text}\n{self.source(path, definition['title'])}"
        return self._with_source(text, path, definition["title"])

    def _with_source(self, text: str, path: str, title: str, about: str = "") -> str:
        """A table and where it comes from; a long one folded, on paper a long or wide one left out."""
        rows, columns = max(0, text.count("\n") - 2), text.partition("\n")[0].count("|") - 1
        if self.paper and (rows > LONG_PAPER_ROWS or columns > WIDE_PAPER_COLUMNS):
            return ""
        if rows <= LONG_TABLE_ROWS:
            return f"{text}\n{self.source(path, title, about)}"
        return f"{_folded(f'{title}: {rows} rows', text)}\n{self.source(path, title, about)}"

    def source(self, path: str, title: str, about: str = "") -> str:
        """A line that links the data, says what its numbers are, and names the command that remakes it."""
        if self.paper:
            return f"::: {{.source}}\n{escape(title)}. {about}\n:::\n"
        target = f"results/{self.study.run}/{path}"
        return (
            f"::: {{.source}}\n{escape(title)}. {about}"
            f"Data: [{escape(path)}](../{path}). Remake: `snakemake {target}`\n:::\n"
        )

    def figure(self, name: str) -> str:
        """A figure with caption, data and command; of one that the appendix shows, where it is; on paper then nothing."""
        if name in self.study.settings["shown"]:
            return figure_markdown(self.study, self.results, name, paper=self.paper)
        title = escape(self.study.figures[name][1]["title"])
        return "" if self.paper else f"::: {{.source}}\nIn the appendix: [{title}](#fig:{name}).\n:::\n"

    def rest(self, question: str) -> str:
        """The figures that a question's section does not show; of a question without a section its tables, too.

        Paper leaves them out.
        """
        if self.paper:
            return ""
        spec = self.study.questions[question]
        left = [name for name in spec["figures"] if name not in self.study.settings["shown"]]
        parts = [figure_markdown(self.study, self.results, name, lazy=True) for name in left]
        section = self.study.root / "report" / "sections" / f"{question}.md.j2"
        parts += [] if section.is_file() else [self.summary(table) for table in spec["tables"]]
        return "\n\n".join(parts)

    def figures_left(self) -> int:
        """How many figures paper leaves out."""
        shown = self.study.settings["shown"]
        return sum(
            name not in shown for q in self.questions_run for name in self.study.questions[q]["figures"]
        )

    def solver_times(self) -> SolverTimes | None:
        """The published run of benchmarks/solvers.py, where the clone has one."""
        csv = self.study.root / SOLVER_TIMES
        return load_times(csv) if csv.is_file() else None

    @cached_property
    def headlines(self) -> pd.DataFrame:
        """One verdict a claim."""
        return read_csv(self.results / "tables" / "headlines.csv")

    def false_verdicts(self) -> tuple[int, float]:
        """(claims decided by data that scatter, how many of these verdicts chance alone would turn)."""
        rows = self.ledger.set_index("id")
        decided = self.headlines[self.headlines["verdict"].isin([SUPPORTED, REFUTED])]
        scattered = sum(pd.notna(rows.loc[row, "p_for"]) for row in decided["row"] if row in rows.index)
        return scattered, ALPHA * scattered

    def decided(self) -> pd.DataFrame:
        """The claims that this run bears on: with an estimate, or with runs that failed to give one."""
        failed = self.ledger["verdict"].isin(["inconclusive", "refuted"])
        return self.ledger[self.ledger["estimate"].notna() | failed]

    def verdict(self, claim: str) -> str:
        """The verdict of one row of the ledger, with its sign."""
        return verdict_mark(self.ledger[self.ledger["id"] == claim].iloc[0])

    def undecided(self) -> pd.DataFrame:
        """The claims of questions that ran on which this run does not bear."""
        rest = self.ledger.drop(self.decided().index)
        return rest[rest["question"].isin(self.questions_run)]

    @cached_property
    def questions_run(self) -> list[str]:
        """The questions of which a job ran; all of them where none did."""
        ran = set(self.jobs[self.jobs["ran"].astype(bool)]["question"])
        return [q for q in self.study.questions if q in ran] or list(self.study.questions)

    def questions_left_out(self) -> str:
        """The titles of the questions of which no job ran, and their rows of the ledger; empty where there are none."""
        out = [q for q in self.study.questions if q not in self.questions_run]
        titles = ", ".join(f"*{escape(self.study.questions[q]['title'])}*" for q in out)
        rows = int(self.ledger["question"].isin(out).sum())
        return f"{titles} ({rows} rows of the ledger)" if out else ""

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
            f" Of the {chance} verdicts that rest on data which scatter, chance alone would turn {number(expected, 2)}."
            if chance
            else ""
        )
        return tally(self.headlines) + said

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

    def fold(self, title: str = "Show") -> str:
        """What follows, to `unfold`, opens on demand; on paper it just follows."""
        return "" if self.paper else _opening(title)

    def unfold(self) -> str:
        """The end of what `fold` began."""
        return "" if self.paper else CLOSING

    def about_numbers(self) -> str:
        """How to read the numbers of the first page."""
        return (
            "Numbers in brackets are intervals over seeds: of 90 % where a claim is judged, of 95 % where a question is "
            f"answered. Where no tier is named, the tier {self.study.tier_name} was run: {escape(self.study.tier['title'])}."
        )

    def jobs_markdown(self) -> str:
        """Every job; on paper a line a task, for hundreds of jobs fill ten pages."""
        if self.paper:
            return tasks_table(self.jobs)
        return _folded(f"All {len(self.jobs)} jobs", jobs_table(self.jobs))


def _folded(title: str, text: str) -> str:
    """Something long that opens on demand."""
    return f"{_opening(title)}\n{text}\n{CLOSING}"


def _opening(title: str) -> str:
    return f"```{{=html}}\n<details><summary>{html_escape(title)}</summary>\n```\n"


CLOSING = "```{=html}\n</details>\n```\n"


def _means(table: pd.DataFrame, columns: list[str], info: dict[str, dict[str, Any]]) -> str:
    """What the numbers of a summary are."""
    if not any(f"{c}_low" in table and table[f"{c}_low"].notna().any() for c in columns):
        return ""
    logs = [c for c in columns if info.get(c, {}).get("scale") == "log"]
    geometric = ", geometric where they span decades" if logs else ""
    return f"Means{geometric}, with 95 % intervals over seeds. "


def make_report(study: Study, outputs: dict[str, Path]) -> None:
    """Write report.md, index.html and report.pdf beside each other in results/<run>/report."""
    folder = study.root / "report"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        comment_start_string="{##", comment_end_string="##}",  # {# starts an identifier in pandoc's Markdown
    )  # fmt: skip
    # Markdown, so no HTML escaping here: markdown.escape does it for what comes from data.
    sections = Context(study, study.results).questions_run
    page, paper = (
        environment.get_template("report.md.j2").render(
            r=Context(study, study.results, paper),
            study=study,
            sections=sections,
            number=number,
            escape=escape,
            exp=math.exp,
        )
        for paper in (False, True)
    )
    write_atomically(outputs["markdown"], page.encode())
    write_html(page, outputs["html"], folder)
    write_pdf(paper, outputs["pdf"], folder, root=study.results)
