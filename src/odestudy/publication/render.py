"""All that follows from metrics, in one process and without Snakemake."""

from __future__ import annotations

from odestudy import build
from odestudy.study.load import Study


def render(study: Study) -> None:
    """Write tables, ledger, figures and report of a study beside its metrics."""
    for folder in ("figures", "report"):
        (study.results / folder).mkdir(parents=True, exist_ok=True)
    for name in study.tables:
        build.make_table(study, name)
    build.make_jobs_table(study)
    build.make_ledger(study)
    for name, (_, definition) in study.figures.items():
        build.make_figure(study, name)
        if definition.get("animated"):
            build.make_animation(study, name)
    build.make_report(study)
