"""Choosing the device of a job, and sharing several GPUs among jobs of one machine."""

from __future__ import annotations

import fcntl
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from odestudy.errors import ConfigError

SHARE = "ODESTUDY_GPU_SHARE"  # how many jobs may use one GPU at a time; set where the rules are read


def visible_gpus() -> int:
    """The number of GPUs, told without importing torch; CUDA_VISIBLE_DEVICES narrows it."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return len([d for d in chosen.split(",") if d.strip() not in ("", "-1")])
    return len(list(Path("/proc/driver/nvidia/gpus").glob("*"))) or len(
        list(Path("/dev").glob("nvidia[0-9]*"))
    )


@contextmanager
def free_gpu(count: int, locks: Path | None = None, share: int = 1) -> Iterator[int]:
    """The index of a GPU that fewer than `share` jobs of this study on this machine hold; waits for one if need be.

    So many lock files for each GPU, held as long as the process lives: a killed job frees its place.
    """
    folder = locks or Path(tempfile.gettempdir()) / f"odestudy-gpu-{os.getuid()}"
    folder.mkdir(parents=True, exist_ok=True)
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = [d.strip() for d in chosen.split(",") if d.strip()] or [str(i) for i in range(count)]
    names = names[:count]
    ends = [
        ".lock",
        *(f".{place}.lock" for place in range(1, share)),
    ]  # first a place on each GPU, then a second
    files = [(folder / f"{name}{end}").open("w") for end in ends for name in names]
    try:
        for i, file in enumerate(files):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield i % len(names)
            return
        # ASSUME: all are taken, which the scheduler's limit prevents; waiting for one of them is right anyway.
        i = os.getpid() % len(files)
        fcntl.flock(files[i], fcntl.LOCK_EX)
        yield i % len(names)
    finally:
        for file in files:
            file.close()


@contextmanager
def job_device(wanted: str) -> Iterator[str]:
    """The torch device of a job: `cpu`, or `cuda:<i>` on a GPU with a free place.

    Raises:
        ConfigError: `cuda` was asked for and there is none.
    """
    import torch

    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise ConfigError("device: cuda was asked for, but torch sees no CUDA device; use auto or cpu")
    if wanted == "cpu" or not available:
        yield "cpu"
        return
    with free_gpu(torch.cuda.device_count(), share=int(os.environ.get(SHARE, "1"))) as index:
        torch.cuda.set_device(index)
        yield f"cuda:{index}"


def device_name(device: str) -> str:
    """The name of a device for people."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device)
    return processor()


@lru_cache(maxsize=1)
def processor() -> str:
    """The processor's model name, as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
