"""Targets in the plane."""

from __future__ import annotations

import math

import numpy as np

from odestudy.densities.laws import Boxes, Gaussian, Mixture, Target


def ring(modes: int = 8, radius: float = 2.0, sigma: float = 0.2) -> Target:
    angle = 2 * np.pi * np.arange(modes) / modes
    return Mixture(radius * np.stack([np.cos(angle), np.sin(angle)], 1), sigma, has_modes=True)


def lattice(side: int = 5, spacing: float = 1.0, sigma: float = 0.05) -> Target:
    ticks = (np.arange(side) - (side - 1) / 2) * spacing
    return Mixture(np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2), sigma, has_modes=True)


def pair(separation: float = 4.0, sigma: float = 0.25) -> Target:
    """Two Gaussians `separation` standard deviations apart."""
    half = separation * sigma / 2
    return Mixture(np.array([[-half, 0.0], [half, 0.0]]), sigma, has_modes=True)


def circles(radii: tuple[float, ...] = (1.0, 2.0), sigma: float = 0.1) -> Target:
    """Concentric circles; each has nodes in proportion to its length."""
    parts = []
    for radius in radii:
        angle = 2 * np.pi * np.arange(round(80 * radius)) / round(80 * radius)
        parts.append(radius * np.stack([np.cos(angle), np.sin(angle)], 1))
    return Mixture(np.concatenate(parts), sigma)


def moons(sigma: float = 0.15) -> Target:
    angle = np.pi * (np.arange(120) + 0.5) / 120
    upper = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], 1)
    return Mixture(1.3 * np.concatenate([upper, -upper]), sigma)


def spirals(turns: float = 1.25, sigma: float = 0.1) -> Target:
    angle = 2 * np.pi * turns * np.sqrt((np.arange(200) + 0.5) / 200)
    arm = (angle / (2 * np.pi * turns) * 2.4)[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return Mixture(np.concatenate([arm, -arm]), sigma)


def pinwheel(arms: int = 5, sigma: float = 0.12) -> Target:
    radius = np.linspace(0.5, 2.4, 60)
    angle = radius[:, None] * 0.7 + 2 * np.pi * np.arange(arms) / arms
    nodes = radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    return Mixture(nodes.reshape(-1, 2), sigma)


def checkerboard(cells: int = 4, half: float = 2.0) -> Target:
    size = 2 * half / cells
    corners = [(i, j) for i in range(cells) for j in range(cells) if (i + j) % 2 == 0]
    low = np.array(corners) * size - half
    return Boxes(low, low + size)


def uniforms(gap: float = 1.0) -> Target:
    """Two unit squares, `gap` apart."""
    low = np.array([[-1 - gap / 2, -0.5], [gap / 2, -0.5]])
    return Boxes(low, low + 1.0, has_modes=True)


def line(sigma: float = 0.05) -> Target:
    """A Gaussian that is thin across the diagonal."""
    turn = np.array([[1.0, -1.0], [1.0, 1.0]]) / math.sqrt(2)
    return Gaussian(turn @ np.diag([1.5, sigma]))


def correlated() -> Target:
    """One Gaussian, which is not round: the easiest target."""
    return Gaussian(np.array([[1.2, 0.0], [0.8, 0.5]]))
