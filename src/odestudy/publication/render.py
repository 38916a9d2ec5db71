"""All that follows from metrics, in one process and without Snakemake."""

from __future__ import annotations

from odestudy.plan.study import Study
from odestudy.present import making


def render(study: Study) -> None:
    """Write tables, ledger, figures and report of a study beside its metrics."""
    for folder in ("figures", "report"):
        (study.results / folder).mkdir(parents=True, exist_ok=True)
    for name in study.tables:
        making.make_table(study, name)
    making.make_jobs_table(study)
    making.make_ledger(study)
    for name, (_, definition) in study.figures.items():
        making.make_figure(study, name)
        if definition.get("animated"):
            making.make_animation(study, name)
    making.make_report(study)
