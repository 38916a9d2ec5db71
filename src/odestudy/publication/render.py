"""All that follows from metrics, in one process and without Snakemake."""

from __future__ import annotations

from odestudy.plan.study import Study
from odestudy.present.csvs import read_csv, write_csv
from odestudy.present.figures.make import make_animation, make_figure
from odestudy.present.ledger import ledger
from odestudy.present.report import make_report
from odestudy.present.tables import jobs_table, long_table, make_summary


def render(study: Study) -> None:
    """Write tables, ledger, figures and report of a study beside its metrics."""
    tables, figures, report = (study.results / name for name in ("tables", "figures", "report"))
    for folder in (figures, report):
        folder.mkdir(parents=True, exist_ok=True)
    for name in study.tables:
        table = long_table(study, name)
        write_csv(table, tables / f"{name}.csv")
        write_csv(make_summary(study, name, table), tables / f"{name}_summary.csv")
    write_csv(jobs_table(study), tables / "jobs.csv")
    read = {name: read_csv(tables / f"{name}.csv") for name in study.tables}
    write_csv(ledger(study, read), tables / "ledger.csv")
    for name, (_, definition) in study.figures.items():
        sources = [tables / f"{t}{end}.csv" for t in definition["tables"] for end in ("", "_summary")]
        make_figure(study, name, sources, {k: figures / f"{name}.{k}" for k in ("svg", "pdf", "png", "json")})
        if definition.get("animated"):
            make_animation(study, name, sources, figures / f"{name}.gif")
    names = {"html": "index.html", "pdf": "report.pdf", "markdown": "report.md"}
    make_report(study, {kind: report / name for kind, name in names.items()})
