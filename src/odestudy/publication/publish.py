"""Pack the results of a run into the folder under results/published that is committed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd

from odestudy import build
from odestudy.analysis.csvs import read_csv, write_csv
from odestudy.errors import ConfigError, DataError
from odestudy.publication.manifest import NAME, write_manifest
from odestudy.publication.thin import arrays_shown, thinned
from odestudy.publication.unpack import is_packed, lay_out, unpack
from odestudy.runtime.moved import same_code
from odestudy.runtime.packed import Packed, read_packed, write_packed
from odestudy.runtime.store import read_arrays, read_metrics
from odestudy.study.jobs import Job
from odestudy.study.load import Study, load_study


def publish(study: Study, device: str | None = None, partial: bool = False) -> Path:
    """The published folder, with metrics and ledger of every job that has run, and the arrays that figures show.

    Jobs that the tier no longer has are removed from it; those that ran elsewhere and not here, or that a run cut to
    some questions or seeds leaves out, stay.

    Raises:
        DataError: a job has not run, or ran with other code, and `partial` is not set; or none has run.
        ConfigError: the device's name cannot be part of a folder's.
    """
    done = {folder: job for folder, job in study.jobs.items() if job.metrics(study.results).is_file()}
    if not done:
        raise DataError(f"{study.results}: no job has run; `make study TIER={study.run}` runs them")
    metrics = {folder: read_metrics(job.metrics(study.results)) for folder, job in done.items()}
    stale = [f for f, job in done.items() if not same_code(metrics[f]["code"], study.code_of(job))]
    lacking = sorted(set(study.jobs) - set(done))
    if (stale or lacking) and not partial:
        raise DataError(
            f"{study.results}: {len(lacking)} jobs have not run, {len(stale)} ran with older code (first: "
            f"{(lacking + stale)[0]}); `make study TIER={study.run}` runs them, --partial publishes the others"
        )
    name = device or _device([m["provenance"]["device_name"] for m in metrics.values()])
    if not re.fullmatch(r"[A-Za-z0-9_.]+", name):
        raise ConfigError(f"--device {name!r}: letters, digits, dot and underscore are allowed")
    target = study.root / "results" / "published" / f"{study.run}-{name}"
    results = _merged(study, done, read_packed(target) if is_packed(target) else {})
    _write(study.root, target, results)
    return target


def _merged(study: Study, done: dict[str, Job], before: dict[str, Packed]) -> dict[str, Packed]:
    """Question -> what this run has, and of what was published the jobs that the tier still has and this run has not."""
    whole = load_study(study.root, study.run)
    question_of = {
        job.folder: q for s in (whole, study) for (q, _), jobs in s.jobs_by.items() for job in jobs
    }
    results = {question: Packed() for question in whole.questions}
    for packed in before.values():
        for folder in packed.metrics:
            if folder in question_of and folder not in done:
                results[question_of[folder]].metrics[folder] = packed.metrics[folder]
                results[question_of[folder]].arrays[folder] = packed.arrays.get(folder, {})
    for folder, job in done.items():
        path = job.metrics(study.results)
        results[question_of[folder]].metrics[folder] = read_metrics(path)
        results[question_of[folder]].arrays[folder] = read_arrays(path)
    return {question: packed for question, packed in results.items() if packed.metrics}


def _write(root: Path, target: Path, results: dict[str, Packed]) -> None:
    """Lay everything out to see what the figures show, and pack that with the ledger; then show what was packed."""
    shown = load_study(root, f"shown/{target.name}").alone
    (shown.results / NAME).unlink(missing_ok=True)
    lay_out(shown.results, results)
    build.make_all_tables(shown)
    seen = arrays_shown(shown)
    shutil.rmtree(target, ignore_errors=True)
    for question, packed in results.items():
        write_packed(target, question, thinned(packed, seen))
    write_csv(published_ledger(shown), target / "ledger.csv")
    write_manifest(target)
    unpack(root, target)


def published_ledger(shown: Study) -> pd.DataFrame:
    """The ledger without the mark of what is stale, which is a matter of the clone that looks at it."""
    return read_csv(shown.results / "tables/ledger.csv").drop(columns="stale")


def judge_again(root: Path, folder: Path) -> None:
    """The ledger of a published folder anew from its metrics, by the rules that the clone has now.

    Raises:
        DataError: it is no published folder, or a file of it is damaged.
    """
    shown = unpack(root, folder).alone
    build.make_all_tables(shown)
    write_csv(published_ledger(shown), folder / "ledger.csv")
    write_manifest(folder)
    unpack(root, folder)


def _device(names: list[str]) -> str:
    """h200 of "NVIDIA H200"; cpu where no GPU computed."""
    gpus = sorted({n for n in names if "nvidia" in n.lower() or "amd instinct" in n.lower()})
    return re.sub(r"[^a-z0-9]+", "_", gpus[0].lower().removeprefix("nvidia").strip()) if gpus else "cpu"
