"""Copy the metrics of a run to the folder under results/published that is committed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from odestudy.errors import ConfigError, DataError
from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study, load_study


def publish(study: Study, device: str | None = None, partial: bool = False) -> Path:
    """The published folder, with the metrics and arrays of every job that has run.

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
    stale = [f for f, job in done.items() if metrics[f]["code"] != study.code_of(job)]
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
    known = {*study.jobs, *load_study(study.root, study.run).jobs}
    for there in sorted(p.parent for p in target.glob("runs/*/*/metrics.json")):
        if there.relative_to(target / "runs").as_posix() not in known:
            shutil.rmtree(there)
    for folder in done:
        shutil.copytree(study.results / "runs" / folder, target / "runs" / folder, dirs_exist_ok=True)
    return target


def _device(names: list[str]) -> str:
    """h200 of "NVIDIA H200"; cpu where no GPU computed."""
    gpus = sorted({n for n in names if "nvidia" in n.lower() or "amd instinct" in n.lower()})
    return re.sub(r"[^a-z0-9]+", "_", gpus[0].lower().removeprefix("nvidia").strip()) if gpus else "cpu"
