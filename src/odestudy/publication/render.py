"""All that follows from metrics, in two processes and without Snakemake."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from odestudy import build
from odestudy.study.load import Study

PROCESSES = 2


def render(study: Study) -> None:
    """Write tables, ledger, figures and report of a study beside its metrics."""
    for folder in ("figures", "report"):
        (study.results / folder).mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        tables = pool.map(partial(build.make_table, study), study.tables)
        build.make_jobs_table(study)
        list(tables)
        figures = pool.map(partial(build.make_whole_figure, study), _longest_first(study))
        build.make_ledger(study)
        list(figures)
    build.make_report(study)


def _longest_first(study: Study) -> Sequence[str]:
    """Figures that move take longest, and are drawn first."""
    return sorted(study.figures, key=lambda name: not study.figures[name][1].get("animated", False))
