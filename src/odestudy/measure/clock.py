"""Timing: warm-up, then the median of repeats with the spread."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import psutil
import torch


def process_start_unix_s() -> float:
    """When this process began, in seconds since 1970."""
    return psutil.Process().create_time()


def now_s(device: str = "cpu") -> float:
    """A monotonic clock in seconds; a GPU is waited for first, so that its work is inside the interval."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return time.perf_counter()


def time_repeats(
    work: Callable[[], Any], device: str, *, repeats: int = 10, warmup: int = 2
) -> dict[str, float]:
    """Median and quartiles of the wall time of `work`, in seconds.

    Raises:
        ValueError: fewer than one repeat.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1; got {repeats}")
    for _ in range(warmup):
        work()
    times = []
    for _ in range(repeats):
        start = now_s(device)
        work()
        times.append(now_s(device) - start)
    quartiles = statistics.quantiles(times, n=4) if repeats > 1 else [times[0]] * 3
    return {"wall_s": statistics.median(times), "wall_q1_s": quartiles[0], "wall_q3_s": quartiles[2]}
