"""Is this machine ready: versions, device, data, configuration."""

from __future__ import annotations

import os
import re
import shutil
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from odestudy.errors import StudyError


def report(root: Path) -> tuple[list[str], bool]:
    """Lines to print, and whether the quick tier can run."""
    lines: list[str] = []
    ready = True
    for check in (_packages, _device, _data, _space, lambda: _configuration(root)):
        for fine, text in check():
            lines.append(f"{'ok     ' if fine else 'WRONG  ' if fine is False else 'note   '} {text}")
            ready &= fine is not False
    lines.append("ready" if ready else "not ready: mend what is marked WRONG")
    return lines, ready


Line = tuple[bool | None, str]


def _packages() -> list[Line]:
    from packaging.requirements import Requirement

    found: list[Line] = []
    for text in requires("odestudy") or []:
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            have = version(wanted.name)
        except PackageNotFoundError:
            found.append(
                (False, f"{wanted.name} {wanted.specifier}: not installed; `pip install -e .` installs it")
            )
            continue
        public = re.sub(r"\+.*", "", have)
        found.append(
            (
                wanted.specifier.contains(public, prereleases=True),
                f"{wanted.name} {have} ({wanted.specifier})",
            )
        )
    return found


def _device() -> list[Line]:
    import torch

    lines: list[Line] = [(True, f"{os.cpu_count()} processor cores, torch uses {torch.get_num_threads()}")]
    if torch.cuda.is_available():
        for i in range(torch.cuda.device_count()):
            lines.append((True, f"GPU {i}: {torch.cuda.get_device_name(i)}"))
    else:
        lines.append((None, "no CUDA device: every job runs on the CPU; the full tier is meant for a GPU"))
    return lines


def _data() -> list[Line]:
    from odestudy.datasets.images import FASHION, MNIST, data_folder

    lines: list[Line] = [(True, "digits: embedded in scikit-learn")]
    for files in (MNIST, FASHION):
        raw = data_folder() / files.title / "raw"
        there = [name for name in files.sums if (raw / name).is_file()]
        text = f"{files.title}: {len(there)} of {len(files.sums)} files in {raw}"
        lines.append(
            (
                True if len(there) == len(files.sums) else None,
                text + ("" if there else "; downloaded when needed"),
            )
        )
    return lines


def _space() -> list[Line]:
    free = shutil.disk_usage(".").free / 2**30
    return [(free > 1, f"{free:.0f} GiB of disk free; at least 1 is needed")]


def _configuration(root: Path) -> list[Line]:
    from odestudy.study import load_study
    from odestudy.study.tiers import TIERS

    lines: list[Line] = []
    for tier in TIERS:
        try:
            lines.append((True, f"tier {tier}: {len(load_study(root, tier).jobs)} jobs"))
        except StudyError as error:
            lines.append((False, str(error)))
    return lines
