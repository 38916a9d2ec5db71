"""What is published, laid out again as a run: results/published/<name> -> results/shown/<name>."""

from __future__ import annotations

import shutil
from pathlib import Path

from odestudy.errors import DataError
from odestudy.publication.manifest import NAME, check_sums, none_published
from odestudy.runtime.files import write_atomically
from odestudy.runtime.packed import Packed, read_packed
from odestudy.runtime.store import write_metrics
from odestudy.study.jobs import key_in
from odestudy.study.lent import published_folder, tier_of_published
from odestudy.study.load import Study, load_study

READ = ("metrics", "arrays")  # of a published folder


def is_packed(folder: Path) -> bool:
    """Whether a folder holds published results and not those of a run."""
    return (folder / NAME).is_file() and (folder / "metrics").is_dir()


def unpack(root: Path, folder: Path) -> Study:
    """The study of a published folder, whose jobs it lays out under results/shown, with those that other folders lend it.

    Nothing to do where they lie there already.

    Raises:
        DataError: it is no published folder, or a file of it is damaged or not as it was published.
    """
    if not is_packed(folder):
        raise DataError(none_published(folder))
    tier_of_published(folder)
    check_sums(folder, *READ)
    study = load_study(root, f"shown/{folder.resolve().name}")
    lenders = {name: published_folder(root, name) for name in sorted(set(study.lent.values()))}
    for lender in lenders.values():
        check_sums(lender, *READ)
    sums = b"".join((one / NAME).read_bytes() for one in (folder, *lenders.values()))
    laid, wanted = study.results / NAME, sums + "".join(f"{key}\n" for key in study.lent.items()).encode()
    if not laid.is_file() or laid.read_bytes() != wanted:
        laid.unlink(missing_ok=True)
        results = read_packed(folder)
        for name, lender in lenders.items():
            _add(results, read_packed(lender), study, name)
        lay_out(study.results, results)
        write_atomically(laid, wanted)
    return study


def _add(results: dict[str, Packed], others: dict[str, Packed], study: Study, lender: str) -> None:
    """Put what a folder lends beside what is there."""
    for (question, experiment), name in study.lent.items():
        if name == lender:
            into, of_key = (
                results.setdefault(question, Packed()),
                {key_in(f): f for f in others[question].metrics},
            )
            for job in study.jobs_by[question, experiment]:
                there = of_key[job.key]
                into.metrics.setdefault(job.folder, others[question].metrics[there])
                arrays = others[question].arrays.get(there, {})
                into.arrays[job.folder] = arrays | into.arrays.get(job.folder, {})


def lay_out(target: Path, results: dict[str, Packed]) -> None:
    """Write metrics and arrays of each job in its folder, and nothing else there."""
    shutil.rmtree(target / "runs", ignore_errors=True)
    for packed in results.values():
        for job, content in packed.metrics.items():
            write_metrics(target / "runs" / job / "metrics.json", content, packed.arrays.get(job, {}))
