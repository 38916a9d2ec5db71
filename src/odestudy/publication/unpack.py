"""What is published, laid out again as a run: results/published/<name> -> results/shown/<name>."""

from __future__ import annotations

import shutil
from pathlib import Path

from odestudy.errors import DataError
from odestudy.publication.manifest import NAME, read_manifest
from odestudy.runtime.files import write_atomically
from odestudy.runtime.packed import Packed, read_packed
from odestudy.runtime.store import write_metrics


def is_packed(folder: Path) -> bool:
    """Whether a folder holds published results and not those of a run."""
    return (folder / NAME).is_file() and (folder / "metrics").is_dir()


def unpack(root: Path, folder: Path) -> str:
    """Lay a published folder out under results/shown; the name of that run. Nothing to do where it lies there already.

    Raises:
        DataError: it is no published folder, or a file of it is damaged.
    """
    if not is_packed(folder):
        raise DataError(f"{folder}: no published results; `make publish` writes such a folder")
    read_manifest(folder)
    run = f"shown/{folder.resolve().name}"
    target, sums = root / "results" / run, (folder / NAME).read_bytes()
    if not (target / NAME).is_file() or (target / NAME).read_bytes() != sums:
        (target / NAME).unlink(missing_ok=True)
        lay_out(target, read_packed(folder))
        write_atomically(target / NAME, sums)
    return run


def lay_out(target: Path, results: dict[str, Packed]) -> None:
    """Write metrics and arrays of each job in its folder, and nothing else there."""
    shutil.rmtree(target / "runs", ignore_errors=True)
    for packed in results.values():
        for job, content in packed.metrics.items():
            write_metrics(target / "runs" / job / "metrics.json", content, packed.arrays.get(job, {}))
