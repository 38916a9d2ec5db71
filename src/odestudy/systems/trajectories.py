"""Reference trajectories, noisy observations, and where trajectories support a statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from odestudy.runtime.outcome import NumericalFailure
from odestudy.systems.fields import Field, field_of


@dataclass(frozen=True)
class Observed:
    """K trajectories: times (k, n), truth (k, n, d), noisy observations (k, n, d), the noise's size (d,); float64.

    Where a trajectory is shorter than the longest one, its rows end in nan. Where no truth is known, the
    observations stand for it.
    """

    t: np.ndarray
    truth: np.ndarray
    noisy: np.ndarray
    noise: np.ndarray

    @property
    def states(self) -> np.ndarray:
        """All true states, (at most k n, d)."""
        return self.truth[np.isfinite(self.t)]

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation of each component of the truth, (d,); 1 for a constant one."""
        std = self.states.std(axis=0)
        return np.where(std > 0, std, 1.0)


def reference(field: Field, z0: np.ndarray, t: np.ndarray, stiff: bool = False) -> np.ndarray:
    """The true trajectories from z0 (..., d) at times t (n,), shape (n, ..., d).

    DOP853 with relative tolerance 1e-11, or Radau with 1e-9 where the system is stiff.

    Raises:
        NumericalFailure: the reference itself cannot be computed.
    """
    z0 = np.asarray(z0, dtype=np.float64)
    method, rtol, atol = ("Radau", 1e-9, 1e-12) if stiff else ("DOP853", 1e-11, 1e-13)

    def flat(time: float, z: np.ndarray) -> np.ndarray:
        return field(time, z.reshape(z0.shape)).reshape(-1)

    with np.errstate(over="ignore", invalid="ignore"):  # a true blow-up is told by the solver's status
        solved = solve_ivp(flat, (t[0], t[-1]), z0.reshape(-1), method, t_eval=t, rtol=rtol, atol=atol)
    if not solved.success or not np.isfinite(solved.y).all():
        raise NumericalFailure("step_size_underflow", f"reference trajectory: {solved.message}")
    return solved.y.T.reshape(len(t), *z0.shape)


def observe(spec: dict[str, Any], rng: np.random.Generator) -> Observed:
    """What one seed sees of `spec["system"]`.

    One trajectory starts at the system's z0 and further ones anywhere in the box that it fills; or all start anywhere in
    the square of half width `square` around the origin. They end at the system's horizon, or at `horizon` where given.
    Times are regular, or uniform draws with both ends kept, or regular in log t. Noise is Gaussian: `noise_pct` of each
    component's standard deviation where given, else of the absolute size `noise`.

    Raises:
        NumericalFailure: the true system cannot be solved so far.
    """
    system, n, k = spec["system"], spec["points"], spec.get("trajectories", 1)
    field, stiff = field_of(system), system.get("stiff", False)
    horizon = spec.get("horizon", system["horizon"])
    kind = spec.get("times", system.get("times", "regular"))
    t = times(kind, n, horizon, rng, system.get("first", 0.0))
    z0 = _starts(system, k, t, spec.get("square"), rng)
    truth = reference(field, z0, t, stiff).swapaxes(0, 1)
    if "noise_pct" in spec:
        size = spec["noise_pct"] / 100 * truth.reshape(-1, z0.shape[1]).std(axis=0)
    else:
        size = np.full(z0.shape[1], float(system.get("noise", spec["noise"])))
    noisy = truth + size * rng.standard_normal(truth.shape)
    return Observed(np.broadcast_to(t, (k, n)).copy(), truth, noisy, size)


def _starts(
    system: dict[str, Any], k: int, t: np.ndarray, square: float | None, rng: np.random.Generator
) -> np.ndarray:
    """Initial states (k, d)."""
    z0 = np.asarray(system["z0"], dtype=np.float64)[None]
    if square is not None:
        return rng.uniform(-square, square, (k, z0.shape[1]))
    if k == 1:
        return z0
    filled = reference(field_of(system), z0[0], t, system.get("stiff", False))
    return np.concatenate([z0, rng.uniform(filled.min(axis=0), filled.max(axis=0), (k - 1, z0.shape[1]))])


def times(kind: str, n: int, horizon: float, rng: np.random.Generator, first: float = 0.0) -> np.ndarray:
    """n observation times up to the horizon: `regular`, `irregular`, or `log` from `first` (> 0) after 0."""
    if kind == "log":
        return np.concatenate([[0.0], np.geomspace(first or horizon / 1e4, horizon, n - 1)])
    if kind == "irregular":
        return np.concatenate([[0.0], np.sort(rng.uniform(0, horizon, n - 2)), [horizon]])
    return np.linspace(0.0, horizon, n)


def grid_around(states: np.ndarray, points: int | None = None, margin: float = 0.1) -> np.ndarray:
    """A regular grid over the box that states (m, d) fill, `margin` wider: 24 points a side in the plane, 12 beyond."""
    low, high = states.min(axis=0), states.max(axis=0)
    points = points or (24 if states.shape[1] <= 2 else 12)
    pad = margin * np.maximum(high - low, 1e-9)
    axes = [np.linspace(a, b, points) for a, b in zip(low - pad, high + pad, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, states.shape[1])


def in_support(grid: np.ndarray, states: np.ndarray, reach: float = 0.1) -> np.ndarray:
    """Which grid points (m,) lie within `reach` of an observed state.

    Each component counts in units of its range times sqrt(d), so that the box's diagonal has length one.
    """
    from scipy.spatial import cKDTree

    side = np.maximum(states.max(axis=0) - states.min(axis=0), 1e-300) * np.sqrt(states.shape[1])
    distance, _ = cKDTree(states / side).query(grid / side)
    return distance <= reach


def signal_to_noise_db(truth: np.ndarray, noise: np.ndarray | float) -> np.ndarray:
    """Signal to noise over time, (n,) in decibel, of one trajectory (n, d): 20 log10(|z(t)| / |noise|)."""
    size = float(np.linalg.norm(np.broadcast_to(noise, truth.shape[1:])))
    if size <= 0:
        return np.full(len(truth), np.inf)
    return 20 * np.log10(np.maximum(np.linalg.norm(truth, axis=1), 1e-300) / size)
