"""A toy study, its processes, and a watcher that reads every file of its results while it runs."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import yaml
from PIL import Image

from odestudy.runtime.store import read_arrays, read_metrics
from tests.workflow.clone import SNAKEMAKE, WITHOUT_SLURM, copy_of_clone

TABLE = "results/smoke/tables/images_accuracy.csv"
FIGURE = "results/smoke/figures/images_accuracy.svg"


def toy(target: Path, jobs: int) -> Path:
    """A clone whose smoke tier trains two nets, each seed a job of about a second, three jobs a process."""
    folder = copy_of_clone(target)
    tier = folder / "config/tiers/smoke.yaml"
    content = yaml.safe_load(tier.read_text())
    content["questions"]["images"] = without_others(folder) | {
        "train": {
            "base": {"epochs": 16, "train_size": 256},
            "grid": {"arm": ["resnet6", "tied6"]},
            "seeds": list(range(jobs // 2)),
            "seeds_apart": True,
            "per_process": 3,
        },
    }
    tier.write_text(yaml.safe_dump(content))
    return folder


def without_others(folder: Path, question: str = "images") -> dict[str, dict[str, Any]]:
    """What a tier says of the experiments of a question in order to leave them all out."""
    content = yaml.safe_load((folder / f"config/questions/{question}.yaml").read_text())
    return {name: {"drop": "A test has little time."} for name in content["experiments"]}


def start(folder: Path, *arguments: str, **how: Any) -> psutil.Popen:
    """Snakemake in the background; `how` goes to Popen."""
    return psutil.Popen(
        [*SNAKEMAKE, *arguments],
        cwd=folder, env=WITHOUT_SLURM, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how,
    )  # fmt: skip


def steps(snakemake: psutil.Process) -> list[psutil.Process]:
    """The processes that compute: scripts of batches, tables and figures, each the child of a shell of Snakemake's."""
    with suppress(psutil.NoSuchProcess):
        return [p for p in snakemake.children(recursive=True) if ".snakemake/scripts/" in script(p)]
    return []


def script(process: psutil.Process) -> str:
    """The first argument of a process; empty where it has ended."""
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess, IndexError):
        return process.cmdline()[1]
    return ""


def wait_for(condition: Callable[[], Any], seconds: float = 600.0) -> Any:
    """What the condition gives once it holds; a wait that would never end is ended."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found


class Watcher:
    """Reads every file of a folder of results again and again, whenever it changes; what is there must be whole."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.finished: dict[Path, int] = {}  # metrics -> inode when first seen
        self._known: dict[Path, tuple[int, ...]] = {}
        self.repeated: set[Path] = set()
        self.broken: dict[Path, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self.look()

    def look(self) -> None:
        # Not Path.rglob, which fails where a folder is removed while it is walked (Python 3.11).
        files = (Path(folder, name) for folder, _, names in os.walk(self.results) for name in names)
        for path in files:
            if path.name.startswith(".") or path.suffix in ("", ".log"):
                continue
            with suppress(FileNotFoundError):
                about = path.stat()
                version = about.st_ino, about.st_size, about.st_mtime_ns
                if self._known.get(path) == version:
                    continue
                self._known[path] = version
                try:
                    read(path)
                except FileNotFoundError:
                    raise
                except Exception as error:
                    if path.exists():  # and was not removed while it was read
                        self.broken[path] = repr(error)
                # A rewritten file is another inode; Snakemake touches what a job has made.
                if (
                    path.name == "metrics.json"
                    and self.finished.setdefault(path, about.st_ino) != about.st_ino
                ):
                    self.repeated.add(path)


def read(path: Path) -> None:
    """Read one file of the results; an exception tells that it is not whole."""
    if path.name == "metrics.json":
        read_metrics(path)
        read_arrays(path)
    elif path.suffix in (".npz", ".pt"):
        assert zipfile.ZipFile(path).testzip() is None
    elif path.suffix == ".json":
        json.loads(path.read_text())
    elif path.suffix == ".csv":
        assert path.read_bytes().endswith(b"\n")
        pd.read_csv(path)
    elif path.suffix in (".svg", ".pdf", ".html"):
        ends = {".svg": b"</svg>", ".pdf": b"%%EOF", ".html": b"</html>"}
        assert path.read_bytes().rstrip().endswith(ends[path.suffix])
    elif path.suffix in (".png", ".gif"):
        with Image.open(path) as picture:
            picture.load()


def unmeasured(folder: Path, table: str, question: str) -> pd.DataFrame:
    """A table without the columns that are measured, and without laws that were fitted to them."""
    columns = yaml.safe_load((folder / f"config/questions/{question}.yaml").read_text())["columns"]
    measured = [name for name, about in columns.items() if about.get("measured")]
    found = pd.read_csv(folder / table)
    wanted = [c for c in found if c.removesuffix("_low").removesuffix("_high") not in measured]
    assert wanted
    if "measure" in found:
        found = found[~found["measure"].isin(measured)].reset_index(drop=True)
    return found[wanted]
