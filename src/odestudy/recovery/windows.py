"""Data of one training step: random windows (single shooting), or all pieces at once (multiple shooting)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from odestudy.systems.trajectories import Observed


@dataclass(frozen=True)
class Batch:
    """B pieces of at most w points for each of M seeds.

    Attributes:
        t: times from each piece's start, (M, B, w), nan behind its last point; z: observations, (M, B, w, d), 0 there.
    """

    t: np.ndarray
    z: np.ndarray


def random_windows(data: list[Observed], spec: dict[str, Any], rngs: list[np.random.Generator]) -> Batch:
    """`windows` random windows for each seed, each of a random trajectory (walk-through: one window of one trajectory)."""
    pieces = [
        [_window(one, spec, rng) for _ in range(spec.get("windows", 1))]
        for one, rng in zip(data, rngs, strict=True)
    ]
    longest = max(len(t) for of_seed in pieces for t, _ in of_seed)
    shape = (len(pieces), len(pieces[0]), longest)
    t, z = np.full(shape, np.nan), np.zeros((*shape, data[0].noisy.shape[-1]))
    for m, of_seed in enumerate(pieces):
        for b, (when, what) in enumerate(of_seed):
            t[m, b, : len(when)], z[m, b, : len(when)] = when - when[0], what
    return Batch(t, z)


def _window(data: Observed, spec: dict[str, Any], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A window of a random trajectory: of a length (walk-through), or of a number of points (torchdiffeq's ode_demo.py)."""
    row = int(rng.integers(len(data.t))) if len(data.t) > 1 else 0
    t = data.t[row]
    inside = _of_length(t, spec, rng) if "window_min" in spec else _of_points(t, spec["window_points"], rng)
    return t[inside], data.noisy[row, inside]


def _of_points(t: np.ndarray, points: int, rng: np.random.Generator) -> np.ndarray:
    """`window_points` observations one after the other, or all that there are."""
    size = min(points, len(t))
    first = int(rng.integers(len(t) - size + 1))
    return np.arange(first, first + size)


def _of_length(t: np.ndarray, spec: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    """Those within `window_min` to `window_max` time units, at most `window_points` of them, chosen at random."""
    length = min(rng.uniform(spec["window_min"], spec["window_max"]), t[-1] - t[0])
    start = rng.uniform(t[0], t[-1] - length)
    inside = np.flatnonzero((t >= start) & (t <= start + length))
    if len(inside) < 2:
        first = min(int(np.searchsorted(t, start)), len(t) - 2)
        inside = np.array([first, first + 1])
    if len(inside) > spec["window_points"]:
        inside = np.sort(rng.choice(inside, spec["window_points"], replace=False))
    return inside


def pieces(data: list[Observed], points: int) -> tuple[Batch, np.ndarray]:
    """All trajectories cut into pieces of `points` observations, each sharing its ends with its neighbours.

    A trajectory may end early, in times that are nan; one shorter than a piece is a piece of its own.

    Returns:
        the pieces, and for each piece (B,) whether the next one continues it.
    """
    lengths = np.isfinite(data[0].t).sum(axis=1)
    found, follows = [], []
    for row, n in enumerate(lengths.tolist()):
        size = min(points, n)
        # Where the last piece would stick out, it overlaps the one before instead.
        starts = np.unique(np.minimum(np.arange(0, n - 1, max(size - 1, 1)), n - size))
        found += [(row, start, size) for start in starts.tolist()]
        follows += [*(np.diff(starts) == size - 1).tolist(), False]
    d = data[0].noisy.shape[-1]
    width = max(size for _, _, size in found)
    t, z = np.full((len(data), len(found), width), np.nan), np.zeros((len(data), len(found), width, d))
    for b, (row, start, size) in enumerate(found):
        for m, one in enumerate(data):
            t[m, b, :size] = one.t[row, start : start + size] - one.t[row, start]
            z[m, b, :size] = one.noisy[row, start : start + size]
    return Batch(t, z), np.array(follows)
