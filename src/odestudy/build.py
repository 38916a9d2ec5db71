"""Each file that follows from metrics, in its place under results/<run>, and the steps of the workflow that make them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from odestudy.analysis.csvs import read_csv, write_csv
from odestudy.runtime.timeout import TIMEOUT
from odestudy.study.load import Study, load_study
from odestudy.study.tiers import TIERS, tier_of

if TYPE_CHECKING:
    from odestudy.figures.base import FigureData


def step(
    make: Callable[..., None],
    *what: str,
    run: str,
    overrides: Mapping[str, Any],
    log: str,
    limit_s: float,
) -> None:
    """Take one step of the workflow in the working folder.

    Args:
        make: a function of this module, given the study and `what`.
        run, overrides: which study, as load_study takes them.
        log: a file for what is printed.
        limit_s: the most seconds; a step that takes longer ends the process with one line and status 1.
    """
    from odestudy.runtime.log import logged
    from odestudy.runtime.orphan import end_with_run

    end_with_run()
    with logged(log, limit_s):
        make(load_study(Path.cwd(), run, overrides), *what)


def make_tables(study: Study, question: str) -> None:
    """All tables of a question and their summaries."""
    for name in study.questions[question]["tables"]:
        make_table(study, name)


def make_table(study: Study, name: str) -> None:
    """One table and its summary over seeds."""
    from odestudy.analysis.tables import long_table, make_summary

    table = long_table(study, name)
    write_csv(table, study.results / f"tables/{name}.csv")
    write_csv(make_summary(study, name, table), study.results / f"tables/{name}_summary.csv")


def make_ledgers(study: Study) -> None:
    """The verdict on every claim, and the table of jobs."""
    make_ledger(study)
    make_jobs_table(study)


def make_jobs_table(study: Study) -> None:
    """Every job with its provenance."""
    from odestudy.analysis.tables import jobs_table

    write_csv(jobs_table(study), study.results / "tables/jobs.csv")


def make_all_tables(study: Study) -> None:
    """The tables of all questions, that of the jobs, and the ledger."""
    for question in study.questions:
        make_tables(study, question)
    make_ledgers(study)


def make_ledger(study: Study) -> None:
    """The verdict on every row, from the tables, and on every claim, from its headline's rows."""
    from odestudy.analysis.headlines import headlines
    from odestudy.analysis.ledger import ledger, with_lent_baselines
    from odestudy.analysis.several_tiers import one_ledger
    from odestudy.analysis.stored_rules import stored_rules
    from odestudy.analysis.tables import long_table

    own = study.alone
    shared = {
        name
        for name, (q, about) in study.tables.items()
        if any((q, e) in study.lent for e in about["experiments"])
    }
    tables = {
        name: long_table(own, name) if name in shared else read_csv(study.results / f"tables/{name}.csv")
        for name in study.tables
    }
    rows = ledger(own, tables, stored_rules(own))
    whole = one_ledger(beside_other_tiers(study, rows))
    if shared:
        lent = {name: read_csv(study.results / f"tables/{name}.csv") for name in shared}
        whole = with_lent_baselines(whole, study, lent)
    for name, table in (
        ("ledger", rows),
        ("whole_ledger", whole),
        ("headlines", headlines(study.headlines, whole)),
    ):
        write_csv(table, study.results / f"tables/{name}.csv")


def beside_other_tiers(study: Study, rows: pd.DataFrame) -> list[pd.DataFrame]:
    """A ledger among those of the other published tiers, the smallest first; alone where the study is an own run."""
    if not study.published:
        return [rows]
    own = study.run.removeprefix("shown/")
    found = {own: rows}
    for path in sorted((study.root / "results/published").glob("*/ledger.csv")):
        if path.parent.name != own:
            # What is stale is a matter of the clone that has its metrics.
            found[path.parent.name] = read_csv(path).assign(stale=False)
    return [
        found[name].assign(device=name.partition("-")[2])
        for name in sorted(found, key=lambda name: TIERS.index(tier_of(name)))
    ]


def make_figures(study: Study, question: str) -> None:
    """All figures of a question, those that move as GIF, too."""
    for name in study.questions[question]["figures"]:
        make_whole_figure(study, name)


def make_whole_figure(study: Study, name: str) -> None:
    """The files of one figure, its GIF among them where it moves."""
    make_figure(study, name)
    if study.figures[name][1].get("animated"):
        make_animation(study, name)


def make_figure(study: Study, name: str) -> None:
    """The files of one figure; see render."""
    from odestudy.figures.base import render

    question, definition = study.figures[name]
    about = {"title": definition["title"], "question": question, "tables": definition["tables"]}
    outputs = {kind: study.results / f"figures/{name}.{kind}" for kind in ("svg", "pdf", "png", "json")}
    render(name, figure_data(study, name), outputs, about | {"animated": definition.get("animated", False)})


def make_animation(study: Study, name: str) -> None:
    """The moving picture of one figure as GIF."""
    from odestudy.figures.base import render_animation

    render_animation(name, figure_data(study, name), study.results / f"figures/{name}.gif")


def make_report(study: Study) -> None:
    """The report as HTML and PDF, and the Markdown that both come from."""
    from odestudy.report.make import make_report as write_report

    names = {"html": "index.html", "pdf": "report.pdf", "markdown": "report.md"}
    write_report(study, {kind: study.results / "report" / name for kind, name in names.items()})


def figure_data(study: Study, name: str) -> FigureData:
    """What one figure may look at: its tables, and the arrays of the experiments that it names."""
    from odestudy.analysis.labels import labels_of
    from odestudy.figures.base import FigureData

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
        margins=study.margins.get(question, {}),
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
