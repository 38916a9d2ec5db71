"""Each file that follows from metrics, in its place under results/<run>."""

from __future__ import annotations

import pandas as pd

from odestudy.analysis.csvs import read_csv, write_csv
from odestudy.analysis.labels import labels_of
from odestudy.figures.base import FigureData, render, render_animation
from odestudy.steps.timeout import TIMEOUT
from odestudy.study.load import Study


def make_table(study: Study, name: str) -> None:
    """One table and its summary over seeds."""
    from odestudy.analysis.tables import long_table, make_summary

    table = long_table(study, name)
    write_csv(table, study.results / f"tables/{name}.csv")
    write_csv(make_summary(study, name, table), study.results / f"tables/{name}_summary.csv")


def make_jobs_table(study: Study) -> None:
    """Every job with its provenance."""
    from odestudy.analysis.tables import jobs_table

    write_csv(jobs_table(study), study.results / "tables/jobs.csv")


def make_ledger(study: Study) -> None:
    """The verdict on every claim, from the tables."""
    from odestudy.analysis.ledger import ledger

    tables = {name: read_csv(study.results / f"tables/{name}.csv") for name in study.tables}
    write_csv(ledger(study, tables), study.results / "tables/ledger.csv")


def make_figure(study: Study, name: str) -> None:
    """The files of one figure; see render."""
    question, definition = study.figures[name]
    about = {"title": definition["title"], "question": question, "tables": definition["tables"]}
    outputs = {kind: study.results / f"figures/{name}.{kind}" for kind in ("svg", "pdf", "png", "json")}
    render(name, _data(study, name), outputs, about | {"animated": definition.get("animated", False)})


def make_animation(study: Study, name: str) -> None:
    """The moving picture of one figure as GIF."""
    render_animation(name, _data(study, name), study.results / f"figures/{name}.gif")


def make_report(study: Study) -> None:
    """The report as HTML and PDF, and the Markdown that both come from."""
    from odestudy.report import context

    names = {"html": "index.html", "pdf": "report.pdf", "markdown": "report.md"}
    context.make_report(study, {kind: study.results / "report" / name for kind, name in names.items()})


def _data(study: Study, name: str) -> FigureData:
    question, definition = study.figures[name]
    tables, unplaced = {}, 0
    for table in definition["tables"]:
        by = study.tables[table][1]["summary"]["by"]
        rows, summary = (read_csv(study.results / f"tables/{table}{end}.csv") for end in ("", "_summary"))
        tables[table], tables[f"{table}_summary"], lost = placed(rows, summary, by)
        unplaced += lost
    jobs = study.jobs_of(question, definition.get("arrays", []))
    return FigureData(
        tables=tables,
        metrics={job.folder: job.metrics(study.results) for job in jobs},
        labels=labels_of(study, question),
        columns=study.questions[question]["columns"],
        unplaced=unplaced,
    )


def placed(
    rows: pd.DataFrame, summary: pd.DataFrame, by: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """A table and its summary without what has no place in a figure, and how many rows that are.

    A job that took too long tells its axes and seeds only, and not what it would have swept inside.
    """
    lost = (rows["status"] == TIMEOUT) & rows[by].isna().any(axis=1)
    if not lost.any():
        return rows, summary, 0
    groups = set(map(tuple, rows.loc[lost, by].astype(str).to_numpy()))
    empty = (summary["ok"] == 0) & pd.Series(
        [tuple(key) in groups for key in summary[by].astype(str).to_numpy()], index=summary.index, dtype=bool
    )
    return rows[~lost], summary[~empty], int(lost.sum())
