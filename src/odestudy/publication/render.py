"""All that follows from metrics, in two processes and without Snakemake."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from odestudy import build
from odestudy.study.load import Study

PROCESSES = 2
_given: dict[str, Study] = {}  # of a process of the pool: its study


def render(study: Study) -> None:
    """Write tables, ledger, figures and report of a study beside its metrics."""
    for folder in ("figures", "report"):
        (study.results / folder).mkdir(parents=True, exist_ok=True)
    # Each process is given the study once, as it starts. A task that carried it would be packed while this process works
    # on, and remembers what it has computed, in the same object.
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), _take, (study,)) as pool:
        tables = pool.map(_make_table, study.tables)
        build.make_jobs_table(study)
        list(tables)
        figures = pool.map(_make_figure, _longest_first(study))
        build.make_ledger(study)
        list(figures)
    build.make_report(study)


def _take(study: Study) -> None:
    _given["study"] = study


def _make_table(name: str) -> None:
    build.make_table(_given["study"], name)


def _make_figure(name: str) -> None:
    build.make_whole_figure(_given["study"], name)


def _longest_first(study: Study) -> Sequence[str]:
    """Figures that move take longest, and are drawn first."""
    return sorted(study.figures, key=lambda name: not study.figures[name][1].get("animated", False))
