"""What a published run found, for those who have not opened its report: a page with all verdicts, a few figures."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from odestudy import build
from odestudy.analysis.values import interval
from odestudy.figures.answers.draw import picture
from odestudy.publication.claims_page import claims_page
from odestudy.report.answers import ANSWERS, answer_markdown
from odestudy.report.context import Context
from odestudy.report.ledger_markdown import SIGNS
from odestudy.report.markdown import escape, pipe_table
from odestudy.report.marked import put_between
from odestudy.report.overview import overview_table
from odestudy.runtime.files import write_atomically
from odestudy.statistics.estimates import RANGE
from odestudy.study.load import Study

PAGE, CLAIMS_PAGE, README, PICTURES, GUIDE = (
    Path("docs/findings.md"),
    Path("docs/claims.md"),
    Path("README.md"),
    Path("docs/pictures"),
    Path("docs/ode.md"),
)


def write_snapshot(study: Study) -> None:
    """Write docs/findings.md, docs/claims.md, the README's part between its markers, its pictures, the advice of docs/ode.md.

    What was found is that of a published run, with what other published tiers judge better.
    """
    build.make_all_tables(study)
    write_atomically(study.root / CLAIMS_PAGE, claims_page(study).encode())
    shown, readme = Context(study, study.results), study.root / README
    pictures = {answer.name: picture(answer.name, shown.facts) for answer in ANSWERS}
    for name, drawn in pictures.items():
        write_atomically(study.root / _file(name), drawn.svg)
    summary = summary_of(shown, {name: drawn.alt for name, drawn in pictures.items()})
    text = put_between(readme.read_text(encoding="utf-8"), "findings", summary)
    write_atomically(study.root / PAGE, page_of(study, shown.ledger).encode())
    write_atomically(readme, text.encode())
    guide = study.root / GUIDE
    advised = put_between(guide.read_text(encoding="utf-8"), "which gradient", advice_of(shown))
    write_atomically(guide, advised.encode())


def advice_of(shown: Context) -> str:
    """Which gradient to take, as a Markdown table, and where its numbers are from."""
    columns = {"situation": "your problem", "take": "take", "because": "what was measured"}
    table = shown.table("gradients_advice")
    if table.empty:
        return "No published run has measured it yet.\n"
    rows = [[escape(str(row[column])) for column in columns] for _, row in table.iterrows()]
    source = f"Measured by results/published/{shown.results.name}; `odestudy snapshot` writes this table."
    return f"{pipe_table(list(columns.values()), rows)}\n{source}\n"


def page_of(study: Study, ledger: pd.DataFrame) -> str:
    """All rows of the ledger as Markdown."""
    counts = ", ".join(
        f"{SIGNS[v]} {(ledger['verdict'] == v).sum()} {v}" for v in SIGNS if (ledger["verdict"] == v).any()
    )
    rows = [
        [row["id"], f"{SIGNS[row['verdict']]} {row['verdict']}", escape(row["says"]), _estimate(row), str(row["seeds"]), row["tier"],
         escape(row["change"] or row["why"])]
        for _, row in ledger.iterrows()
    ]  # fmt: skip
    folder = f"results/published/{study.results.name}"
    return (
        f"# What the study found\n\nWritten by `odestudy snapshot {folder}`; no number here is typed. Each row is of "
        f"the largest published tier that judges it; the report shows tier {study.tier_name}: {escape(study.tier['title'])}. {counts}. What each number is, its sources and the rest "
        f"stand in the report, which `odestudy report {folder}` writes.\n\n"
        + pipe_table(["claim", "verdict", "", "estimate", "seeds", "tier", "what would change it"], rows)
    )


def summary_of(shown: Context, alts: dict[str, str]) -> str:
    """The report's first page: six answers with their pictures, and a line a claim.

    Args:
        alts: picture -> what it shows in words.
    """
    answers = [
        answer_markdown(
            place, answer, shown.facts, f"![{escape(alts[answer.name])}]({_file(answer.name).as_posix()})"
        )
        for place, answer in enumerate(ANSWERS, 1)
    ]
    about = f"{shown.about_numbers()} All of it: [every verdict]({PAGE.as_posix()}); `make report` writes the report.\n"
    overview = overview_table(shown.headlines, shown.ledger, shown.study.headlines, links=False)
    return "\n".join([about, *answers, "### The claims, one line each\n", f"{shown.tally()}\n", overview])


def _file(name: str) -> Path:
    """Where a picture of the first page lies in the clone."""
    return PICTURES / f"answer_{name}.svg"


def _estimate(row: pd.Series) -> str:
    ends = "range" if row["interval"] == RANGE else "interval"
    return escape(interval(row["estimate"], row["low"], row["high"], row["unit"], ends=ends))
