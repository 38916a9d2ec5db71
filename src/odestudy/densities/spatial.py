"""Targets in space and in higher dimensions."""

from __future__ import annotations

import numpy as np

from odestudy.densities.laws import Mixture, Target


def shells(radii: tuple[float, ...] = (0.9, 2.0), sigma: float = 0.15) -> Target:
    """Concentric spheres in space, each a mixture along a Fibonacci spiral with nodes in proportion to its area."""
    return Mixture(np.concatenate([r * _sphere(round(150 * r**2)) for r in radii]), sigma)


def _sphere(n: int) -> np.ndarray:
    """n points spread evenly over the unit sphere, (n, 3)."""
    k = np.arange(n) + 0.5
    height, angle = 1 - 2 * k / n, np.pi * (1 + 5**0.5) * k
    across = np.sqrt(1 - height**2)
    return np.stack([across * np.cos(angle), across * np.sin(angle), height], 1)


def trefoil(sigma: float = 0.15) -> Target:
    """A mixture along a closed curve in space whose knot no flow of space can undo."""
    t = 2 * np.pi * np.arange(200) / 200
    curve = [np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -2 * np.sin(3 * t)]
    return Mixture(np.stack(curve, 1) * 0.7, sigma)


def cluster(d: int = 2, modes: int = 4, radius: float = 2.0, sigma: float = 0.5) -> Target:
    """Gaussians on random directions in R^d, the same ones at every call."""
    centres = np.random.default_rng([d, modes]).standard_normal((modes, d))
    return Mixture(radius * centres / np.linalg.norm(centres, axis=1, keepdims=True), sigma, has_modes=True)
