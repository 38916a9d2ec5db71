"""A copy of the clone to run the workflow in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SNAKEMAKE = [sys.executable, "-m", "snakemake"]


# Where a Slurm is installed but does not run, its plugin waits nine seconds for it whenever Snakemake starts.
WITHOUT_SLURM = {**os.environ, "SLURM_CONF": os.devnull}


def run(
    folder: Path, *arguments: str, check: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*SNAKEMAKE, *arguments],
        cwd=folder, env=WITHOUT_SLURM | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done


def copy_of_clone(target: Path) -> Path:
    for name in ("config", "workflow", "report"):
        shutil.copytree(ROOT / name, target / name)
    shutil.copy(ROOT / "Snakefile", target / "Snakefile")
    (target / "profiles").symlink_to("workflow/profiles")
    return target
