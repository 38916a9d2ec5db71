"""Gather what a figure is given, and render it."""

from __future__ import annotations

from pathlib import Path

from odestudy.plan.study import Study
from odestudy.present.csvs import read_csv
from odestudy.present.figures.base import FigureData, render
from odestudy.present.labels import labels_of


def make_figure(study: Study, name: str, tables: list[Path], outputs: dict[str, Path]) -> None:
    """Write the files of one figure; see render."""
    question, definition = study.figures[name]
    jobs = study.jobs_of(question, definition.get("arrays", []))
    data = FigureData(
        tables={path.stem: read_csv(path) for path in tables},
        metrics={job.folder: job.metrics(study.results) for job in jobs},
        labels=labels_of(study),
        columns=study.questions[question]["columns"],
    )
    about = {"title": definition["title"], "question": question, "tables": definition["tables"]}
    render(name, data, outputs, about)
