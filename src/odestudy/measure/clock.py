"""Timing: warm-up, then the median of repeats with the spread."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

QUIET = 0.2  # of the median, by which the quartiles of a quiet timing are apart at most
SETS, AGAIN_S = 4, 1.0  # of repeats until they are quiet, and the time after which no further set begins


def now_s(device: str = "cpu") -> float:
    """A monotonic clock in seconds; a GPU is waited for first, so that its work is inside the interval."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return time.perf_counter()


def time_repeats(
    work: Callable[[], Any], device: str, *, repeats: int = 10, warmup: int = 2
) -> dict[str, float]:
    """Median and quartiles of the wall time of `work`, in seconds, and whether they are `noisy`.

    A set of repeats whose quartiles are far apart (QUIET) was disturbed and is taken again, a few times; of all sets
    the one with the smallest relative spread counts, and it is noisy where that is large, too. A single repeat has no
    spread and does not say whether it is.

    Raises:
        ValueError: fewer than one repeat.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1; got {repeats}")
    for _ in range(warmup):
        work()
    found = _quartiles(work, device, repeats)
    begun, sets = time.perf_counter(), 1
    while _spread(found) > QUIET and sets < SETS and time.perf_counter() - begun < AGAIN_S:
        found = min(found, _quartiles(work, device, repeats), key=_spread)
        sets += 1
    low, middle, high = found
    told = {"wall_s": middle, "wall_q1_s": low, "wall_q3_s": high}
    return told | ({"noisy": _spread(found) > QUIET} if repeats > 1 else {})


def _quartiles(work: Callable[[], Any], device: str, repeats: int) -> tuple[float, float, float]:
    times = []
    for _ in range(repeats):
        start = now_s(device)
        work()
        times.append(now_s(device) - start)
    low, _, high = statistics.quantiles(times, n=4) if repeats > 1 else [times[0]] * 3
    return low, statistics.median(times), high


def _spread(quartiles: tuple[float, float, float]) -> float:
    """How far apart the quartiles are, in units of the median."""
    low, middle, high = quartiles
    return (high - low) / middle if middle else 0.0
