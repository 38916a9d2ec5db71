"""An experiment that the tier of a published folder drops, as another published folder has it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from odestudy.errors import DataError
from odestudy.runtime.moved import same_code
from odestudy.runtime.packed import read_packed_metrics
from odestudy.runtime.registry import task_module
from odestudy.study.code import code_hash
from odestudy.study.config import load_checked
from odestudy.study.jobs import Job, key_in
from odestudy.study.tiers import TIERS, tier_of

MANIFEST = "manifest.sha256"  # of a published folder; publication/manifest.py writes and reads it


def published_folder(root: Path, name: str) -> Path:
    """The folder of a published run, <tier>-<device>."""
    return root / "results/published" / name


def tier_of_published(folder: Path) -> str:
    """The tier that a published folder is of, by its name.

    Raises:
        DataError: its name does not begin with one.
    """
    tier = tier_of(folder.resolve().name)
    if tier not in TIERS:
        raise DataError(f"{folder}: a published folder is named <tier>-<device>; tiers: {', '.join(TIERS)}")
    return tier


def lender(
    root: Path, shown: str, jobs_at: Callable[[str, dict[str, Any]], list[Job]]
) -> tuple[str, list[Job]] | None:
    """The published folder, of the largest tier, that has an experiment whole and by this code, and its jobs there.

    Args:
        shown: the folder that is shown.
        jobs_at: the experiment's jobs at a tier, given its name and content; none where it drops the experiment.
    """
    folders = [p.parent for p in published_folder(root, "").glob(f"*/{MANIFEST}")]
    tiers = {folder.name: tier_of_published(folder) for folder in folders}
    for name in sorted(tiers, key=lambda name: (-TIERS.index(tiers[name]), name)):
        if name == shown:
            continue
        tier = load_checked(root, f"config/tiers/{tiers[name]}.yaml", "tier")
        jobs = jobs_at(tiers[name], tier)
        held = _codes(published_folder(root, name), (published_folder(root, name) / MANIFEST).read_bytes())
        if jobs and all(same_code(held.get(job.key, ""), code_hash(task_module(job.task))) for job in jobs):
            return name, jobs
    return None


@lru_cache
def _codes(folder: Path, _: bytes) -> dict[str, str]:
    """Job's key -> the hash of the code that computed it, of what a folder holds as long as its manifest is the same."""
    packed = read_packed_metrics(folder).values()
    return {key_in(job): content["code"] for jobs in packed for job, content in jobs.items()}
