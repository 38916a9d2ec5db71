"""Each file that follows from metrics, in its place under results/<run>."""

from __future__ import annotations

from odestudy.plan.study import Study
from odestudy.present.csvs import read_csv, write_csv
from odestudy.present.figures.base import FigureData, render, render_animation
from odestudy.present.labels import labels_of


def make_table(study: Study, name: str) -> None:
    """One table and its summary over seeds."""
    from odestudy.present.tables import long_table, make_summary

    table = long_table(study, name)
    write_csv(table, study.results / f"tables/{name}.csv")
    write_csv(make_summary(study, name, table), study.results / f"tables/{name}_summary.csv")


def make_jobs_table(study: Study) -> None:
    """Every job with its provenance."""
    from odestudy.present.tables import jobs_table

    write_csv(jobs_table(study), study.results / "tables/jobs.csv")


def make_ledger(study: Study) -> None:
    """The verdict on every claim, from the tables."""
    from odestudy.present.ledger import ledger

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
    from odestudy.present import report

    names = {"html": "index.html", "pdf": "report.pdf", "markdown": "report.md"}
    report.make_report(study, {kind: study.results / "report" / name for kind, name in names.items()})


def _data(study: Study, name: str) -> FigureData:
    question, definition = study.figures[name]
    tables = [f"{table}{end}" for table in definition["tables"] for end in ("", "_summary")]
    jobs = study.jobs_of(question, definition.get("arrays", []))
    return FigureData(
        tables={table: read_csv(study.results / f"tables/{table}.csv") for table in tables},
        metrics={job.folder: job.metrics(study.results) for job in jobs},
        labels=labels_of(study, question),
        columns=study.questions[question]["columns"],
    )
