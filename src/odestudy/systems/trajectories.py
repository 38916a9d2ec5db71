"""Reference trajectories, noisy observations, and where a trajectory supports a statement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp

from odestudy.outcome import NumericalFailure
from odestudy.systems.fields import Field


@dataclass(frozen=True)
class Observed:
    """One trajectory: times (n,), truth (n, d) and noisy observations (n, d), all float64."""

    t: np.ndarray
    truth: np.ndarray
    noisy: np.ndarray


def reference(field: Field, z0: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The true trajectory at times t, shape (n, d): DOP853 with relative tolerance 1e-11.

    Raises:
        NumericalFailure: the reference itself cannot be computed.
    """
    solved = solve_ivp(field, (t[0], t[-1]), z0, method="DOP853", t_eval=t, rtol=1e-11, atol=1e-13)
    if not solved.success:
        raise NumericalFailure("step_size_underflow", f"reference trajectory: {solved.message}")
    return solved.y.T


def observe(field: Field, z0: np.ndarray, t: np.ndarray, noise: float, rng: np.random.Generator) -> Observed:
    """The true trajectory and observations of it with Gaussian noise of standard deviation `noise`."""
    truth = reference(field, z0, t)
    return Observed(t, truth, truth + noise * rng.standard_normal(truth.shape))


def grid_around(truth: np.ndarray, points: int = 24, margin: float = 0.1) -> np.ndarray:
    """A regular grid of points**d states over the box that the trajectory fills, `margin` wider; (points**d, d)."""
    low, high = truth.min(axis=0), truth.max(axis=0)
    pad = margin * np.maximum(high - low, 1e-9)
    axes = [np.linspace(a, b, points) for a, b in zip(low - pad, high + pad, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, truth.shape[1])


def in_support(grid: np.ndarray, truth: np.ndarray, reach: float = 0.1) -> np.ndarray:
    """Which grid points (m,) lie within `reach` times the box's diagonal of an observed state."""
    from scipy.spatial import cKDTree

    radius = reach * float(np.linalg.norm(truth.max(axis=0) - truth.min(axis=0)))
    distance, _ = cKDTree(truth).query(grid)
    return distance <= radius


def signal_to_noise_db(truth: np.ndarray, noise: float) -> np.ndarray:
    """Signal to noise over time, (n,) in decibel: 20 log10(|z(t)| / (noise sqrt(d)))."""
    if noise <= 0:
        return np.full(len(truth), np.inf)
    return 20 * np.log10(
        np.maximum(np.linalg.norm(truth, axis=1), 1e-300) / (noise * np.sqrt(truth.shape[1]))
    )
