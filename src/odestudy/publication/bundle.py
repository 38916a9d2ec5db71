"""Finished jobs of a run in one file, to be carried to another clone: what is published, with the sums of its parts."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

from odestudy.errors import DataError
from odestudy.publication.manifest import NAME, check_sums, read_manifest, sums_of, write_manifest
from odestudy.publication.unpack import READ, is_packed
from odestudy.runtime.files import write_atomically
from odestudy.runtime.moved import same_code
from odestudy.runtime.packed import Packed, read_packed, write_packed
from odestudy.runtime.store import is_current, read_arrays, read_metrics, write_metrics
from odestudy.study.lent import tier_of_published
from odestudy.study.load import Study

TIER = "tier"  # the file that names it
MIB = 2**20


def write_bundle(study: Study, file: Path, most_mib: float) -> tuple[int, list[str]]:
    """Write metrics and arrays of the jobs that this code has computed: how many, and what is left out of those begun.

    Checkpoints stay behind.

    Raises:
        DataError: the file is a folder, no job is finished, or the file would be larger than `most_mib`.
    """
    if file.is_dir():
        raise DataError(f"{file}: is a folder; name the file to write, such as {file / 'jobs.zip'}")
    found: dict[str, Packed] = {}
    left_out: dict[str, str] = {}
    for (question, _), jobs in study.jobs_by.items():
        for job in jobs:
            path = job.metrics(study.results)
            if is_current(path, study.code_of(job)):
                packed = found.setdefault(question, Packed())
                packed.metrics[job.folder] = read_metrics(path)
                packed.arrays[job.folder] = read_arrays(path)
            elif path.parent.is_dir():
                left_out[job.folder] = _why_left_out(path)
    if not found:
        raise DataError(f"{study.results}: no job is finished; begun, but not whole: {len(left_out)}")
    content = _zipped(study.run, found)
    if len(content) > most_mib * MIB:
        raise DataError(
            f"{file}: would take {len(content) / MIB:.1f} MiB, more than {most_mib:g}; --questions and --seeds cut it"
        )
    write_atomically(file, content)
    count = sum(len(packed.metrics) for packed in found.values())
    return count, [f"{job} ({why})" for job, why in left_out.items()]


def _why_left_out(path: Path) -> str:
    """Why the metrics of a job that was begun are not packed."""
    if not path.is_file():
        return "no metrics.json"
    try:
        read_metrics(path)
    except DataError:
        return "metrics.json damaged or altered"
    return "computed by other code" if path.with_name("arrays.npz").is_file() else "no arrays.npz"


def _zipped(tier: str, found: dict[str, Packed]) -> bytes:
    """The files of a published folder, without its ledger, as one archive."""
    buffer = io.BytesIO()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / TIER).write_text(f"{tier}\n", encoding="utf-8")
        for question, packed in found.items():
            write_packed(folder, question, packed)
        write_manifest(folder)
        with zipfile.ZipFile(buffer, "w") as archive:  # its parts are compressed already
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                archive.write(path, path.relative_to(folder))
    return buffer.getvalue()


def read_bundle(file: Path) -> tuple[str, dict[str, Packed]]:
    """(tier, question -> results) of a file that `odestudy pack` wrote, or of a published folder.

    Raises:
        DataError: it is none of the two, or damaged.
    """
    if is_packed(file):
        check_sums(file, *READ)
        return tier_of_published(file), read_packed(file)
    if file.is_dir():
        raise DataError(
            f"{file}: is a folder; needed: a file that `odestudy pack` wrote, or a published folder"
        )
    if not file.is_file():
        raise DataError(f"{file}: no such file")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            with zipfile.ZipFile(file) as archive:
                archive.extractall(folder)
            tier = (folder / TIER).read_text(encoding="utf-8").strip()
        except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
            raise DataError(f"{file}: damaged, or not written by `odestudy pack` ({error})") from None
        if not (folder / NAME).is_file():
            raise DataError(f"{file}: no {NAME} in it; not written by `odestudy pack`")
        try:
            if sums_of(folder) != read_manifest(folder):
                raise DataError(
                    f"{file}: damaged: its parts do not have the sums that they were written with"
                )
            return tier, read_packed(folder)
        except DataError as error:  # names the file that the user gave, and not where it was unpacked
            raise DataError(str(error).replace(str(folder), str(file))) from None


def take_in(study: Study, results: dict[str, Packed], file: Path) -> tuple[int, int]:
    """Lay jobs out as if they had run here; how many are new, and how many were here before. All of them or none.

    Raises:
        DataError: a job is none of this tier, or other code computed it.
    """
    wanted = {job: content for packed in results.values() for job, content in packed.metrics.items()}
    arrays = {job: found for packed in results.values() for job, found in packed.arrays.items()}
    for folder, content in wanted.items():
        job = study.jobs.get(folder)
        if job is None or job.spec != content["spec"]:
            raise DataError(f"{file}: {folder}: no such job at tier {study.run} here; nothing was unpacked")
        if not same_code(content["code"], study.code_of(job)):
            raise DataError(
                f"{file}: {folder}: computed by other code ({content['code']}, here {study.code_of(job)}); "
                "nothing was unpacked"
            )
    new = 0
    for folder, content in wanted.items():
        job = study.jobs[folder]
        if not is_current(job.metrics(study.results), content["code"]):
            write_metrics(job.metrics(study.results), content, arrays.get(folder, {}))
            new += 1
    return new, len(wanted) - new
