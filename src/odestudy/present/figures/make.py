"""Gather what a figure is given, and render it, still or moving."""

from __future__ import annotations

from pathlib import Path

from odestudy.plan.study import Study
from odestudy.present.csvs import read_csv
from odestudy.present.figures.base import FigureData, render, render_animation
from odestudy.present.labels import labels_of


def make_figure(study: Study, name: str, tables: list[Path], outputs: dict[str, Path]) -> None:
    """Write the files of one figure; see render."""
    question, definition = study.figures[name]
    about = {"title": definition["title"], "question": question, "tables": definition["tables"]}
    render(name, _data(study, name, tables), outputs, about | {"animated": definition.get("animated", False)})


def make_animation(study: Study, name: str, tables: list[Path], output: Path) -> None:
    """Write the moving picture of one figure as GIF."""
    render_animation(name, _data(study, name, tables), output)


def _data(study: Study, name: str, tables: list[Path]) -> FigureData:
    question, definition = study.figures[name]
    jobs = study.jobs_of(question, definition.get("arrays", []))
    return FigureData(
        tables={path.stem: read_csv(path) for path in tables},
        metrics={job.folder: job.metrics(study.results) for job in jobs},
        labels=labels_of(study),
        columns=study.questions[question]["columns"],
    )
