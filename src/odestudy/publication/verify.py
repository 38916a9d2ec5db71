"""A published folder against its manifest, and against what follows from its metrics."""

from __future__ import annotations

import tempfile
from pathlib import Path

from odestudy.errors import DataError
from odestudy.publication.manifest import files_of, read_manifest, sums_of
from odestudy.publication.render import render
from odestudy.study.load import load_study

LINKED = ("config", "report", "workflow", "benchmarks", "pyproject.toml")


def verify(root: Path, folder: Path) -> tuple[list[str], str]:
    """(problems, one line that says what was checked).

    Altered, missing and added files are found by their sums. Then everything but the metrics is made again from
    the metrics with this clone's code, and held against what was published, byte by byte.

    Raises:
        DataError: the folder has no manifest, or no published name.
    """
    published, now = read_manifest(folder), sums_of(folder)
    problems = [f"altered: {name}" for name in published if name in now and now[name] != published[name]]
    problems += [f"missing: {name}" for name in published if name not in now]
    problems += [f"not in the manifest: {name}" for name in now if name not in published]
    if problems:
        return problems, f"{len(published)} files have a sum; {len(problems)} are not as they were published."
    with tempfile.TemporaryDirectory() as scratch:
        again = _rendered(root, folder.resolve(), Path(scratch))
        made = [name for name in files_of(again) if not name.startswith("runs/")]
        problems = [f"does not follow from the metrics: {n}" for n in made if _differs(again, folder, n)]
        problems += [
            f"nothing makes it: {n}" for n in published if not n.startswith("runs/") and n not in made
        ]
    said = f"{len(published)} files are as published"
    return problems, f"{said}, {len(made)} of them made again from the metrics, {len(problems)} differ."


def _rendered(root: Path, folder: Path, scratch: Path) -> Path:
    """The folder's tables, figures and report, made again in a scratch folder."""
    for name in LINKED:
        (scratch / name).symlink_to(root / name)
    again = scratch / "results" / "published" / folder.name
    again.mkdir(parents=True)
    if not (folder / "runs").is_dir():
        raise DataError(f"{folder}: no metrics in it")
    (again / "runs").symlink_to(folder / "runs")
    render(load_study(scratch, f"published/{folder.name}"))
    return again


def _differs(a: Path, b: Path, name: str) -> bool:
    return not (b / name).is_file() or (a / name).read_bytes() != (b / name).read_bytes()
