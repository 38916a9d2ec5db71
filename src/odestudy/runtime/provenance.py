"""The provenance of a number: versions, commit, device, machine."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

PACKAGES = (
    "torch", "torchdiffeq", "torchvision", "numpy", "scipy", "scikit-learn", "pysindy", "zuko", "POT",
)  # fmt: skip


def package_versions() -> dict[str, str]:
    """Versions of the packages that results depend on; `missing` where one is not installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def provenance(spec: Mapping[str, Any], root: Path, device: str | None) -> dict[str, Any]:
    """What can be told of a job without having computed it.

    Args:
        spec: its specification.
        root: the clone.
        device: where it ran, `cpu` or `cuda:<i>`; None where that is known only as far as the specification tells.
    """
    from odestudy.measure.device import device_name, visible_gpus

    if device is None:
        device = "cpu" if spec["device"] == "cpu" or not visible_gpus() else "cuda"
        name = device_name("cpu") if device == "cpu" else "a GPU, not known which"
    else:
        name = device_name(device)
    return {
        "versions": package_versions(),
        **commit(root),
        **machine(),
        "device": device.split(":")[0],
        "device_name": name,
        "threads": spec["threads"],
        "dtype": spec["dtype"],
    }


@lru_cache(maxsize=1)
def machine() -> dict[str, Any]:
    """Logical cores, memory in GiB, operating system with kernel and processor, and torch's library of linear algebra."""
    import torch

    blas = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    return {
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "blas": blas.group(1) if blas else "unknown",
    }


@lru_cache(maxsize=1)
def commit(root: Path) -> dict[str, Any]:
    """The commit of a clone and whether tracked files differ from it; nulls outside a clone."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, timeout=20, check=True
        )
        return done.stdout.strip()

    try:
        # The folder of results changes while the study runs and is no part of what computes.
        dirty = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)results")
        return {"commit": git("rev-parse", "HEAD"), "clean": not dirty}
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "clean": None}
