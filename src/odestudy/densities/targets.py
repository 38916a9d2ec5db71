"""Target distributions whose density is known everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

CHUNK = 4096
LOG_2PI = math.log(2 * math.pi)


class Target(Protocol):
    """A distribution in R^d that can be sampled and whose density is known.

    Attributes:
        modes: the centres that a sample may belong to, or None where modes make no sense.
        mode_radius: within this distance of a centre a sample is of high quality.
    """

    @property
    def d(self) -> int: ...

    @property
    def modes(self) -> Tensor | None: ...

    @property
    def mode_radius(self) -> float: ...

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        """Independent samples, (n, d) float64."""

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density at x (n, d), in nat, (n,)."""


@dataclass(frozen=True)
class Mixture:
    """Equally weighted isotropic Gaussians; curves are mixtures of many along them."""

    means: np.ndarray
    sigma: float
    has_modes: bool = False

    @property
    def d(self) -> int:
        return self.means.shape[1]

    @property
    def modes(self) -> Tensor | None:
        return torch.from_numpy(self.means) if self.has_modes else None

    @property
    def mode_radius(self) -> float:
        return 3 * self.sigma

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        chosen = self.means[rng.integers(len(self.means), size=n)]
        return torch.from_numpy(chosen + self.sigma * rng.standard_normal(chosen.shape))

    def log_prob(self, x: Tensor) -> Tensor:
        means = torch.from_numpy(self.means).to(x)
        constant = -self.d * (math.log(self.sigma) + LOG_2PI / 2) - math.log(len(means))
        parts = [
            torch.logsumexp(-torch.cdist(part, means).square() / (2 * self.sigma**2), dim=1)
            for part in x.split(CHUNK)
        ]
        return torch.cat(parts) + constant


@dataclass(frozen=True)
class Boxes:
    """Uniform on disjoint axis-parallel boxes [low, high], (k, d) each."""

    low: np.ndarray
    high: np.ndarray
    has_modes: bool = False

    @property
    def d(self) -> int:
        return self.low.shape[1]

    @property
    def modes(self) -> Tensor | None:
        return torch.from_numpy((self.low + self.high) / 2) if self.has_modes else None

    @property
    def mode_radius(self) -> float:
        return float(np.linalg.norm(self.high - self.low, axis=1).max() / 2)

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        volume = (self.high - self.low).prod(1)
        k = rng.choice(len(volume), size=n, p=volume / volume.sum())
        return torch.from_numpy(self.low[k] + rng.random((n, self.d)) * (self.high - self.low)[k])

    def log_prob(self, x: Tensor) -> Tensor:
        low, high = (torch.from_numpy(corner).to(x) for corner in (self.low, self.high))
        inside = ((x[:, None] >= low) & (x[:, None] < high)).all(-1).any(-1)
        volume = float((self.high - self.low).prod(1).sum())
        return torch.where(inside, -math.log(volume), -math.inf).to(x)


@dataclass(frozen=True)
class Student:
    """Multivariate Student t with `nu` degrees of freedom and unit scale."""

    nu: float = 3.0
    d: int = 2
    modes: Tensor | None = field(default=None, init=False)
    mode_radius: float = field(default=math.nan, init=False)

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        scale = np.sqrt(rng.chisquare(self.nu, size=(n, 1)) / self.nu)
        return torch.from_numpy(rng.standard_normal((n, self.d)) / scale)

    def log_prob(self, x: Tensor) -> Tensor:
        half = (self.nu + self.d) / 2
        constant = math.lgamma(half) - math.lgamma(self.nu / 2) - self.d / 2 * math.log(self.nu * math.pi)
        return constant - half * torch.log1p(x.square().sum(1) / self.nu)


@dataclass(frozen=True)
class Gaussian:
    """A centred Gaussian with covariance `root` @ `root`.T."""

    root: np.ndarray
    modes: Tensor | None = field(default=None, init=False)
    mode_radius: float = field(default=math.nan, init=False)

    @property
    def d(self) -> int:
        return len(self.root)

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        return torch.from_numpy(rng.standard_normal((n, self.d)) @ self.root.T)

    def log_prob(self, x: Tensor) -> Tensor:
        root = torch.from_numpy(self.root).to(x)
        z = torch.linalg.solve(root, x.T).T
        return standard_normal(z) - torch.linalg.slogdet(root).logabsdet


def standard_normal(z: Tensor) -> Tensor:
    """Log-density of N(0, I) at z (n, d), (n,)."""
    return -z.square().sum(1) / 2 - z.shape[1] * LOG_2PI / 2


def _ring(modes: int = 8, radius: float = 2.0, sigma: float = 0.2) -> Target:
    angle = 2 * np.pi * np.arange(modes) / modes
    return Mixture(radius * np.stack([np.cos(angle), np.sin(angle)], 1), sigma, has_modes=True)


def _lattice(side: int = 5, spacing: float = 1.0, sigma: float = 0.05) -> Target:
    ticks = (np.arange(side) - (side - 1) / 2) * spacing
    return Mixture(np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2), sigma, has_modes=True)


def _pair(separation: float = 4.0, sigma: float = 0.25) -> Target:
    """Two Gaussians `separation` standard deviations apart."""
    half = separation * sigma / 2
    return Mixture(np.array([[-half, 0.0], [half, 0.0]]), sigma, has_modes=True)


def _circles(radii: tuple[float, ...] = (1.0, 2.0), sigma: float = 0.1) -> Target:
    """Concentric circles; each has nodes in proportion to its length."""
    parts = []
    for radius in radii:
        angle = 2 * np.pi * np.arange(round(80 * radius)) / round(80 * radius)
        parts.append(radius * np.stack([np.cos(angle), np.sin(angle)], 1))
    return Mixture(np.concatenate(parts), sigma)


def _moons(sigma: float = 0.15) -> Target:
    angle = np.pi * (np.arange(120) + 0.5) / 120
    upper = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], 1)
    return Mixture(1.3 * np.concatenate([upper, -upper]), sigma)


def _spirals(turns: float = 1.25, sigma: float = 0.1) -> Target:
    angle = 2 * np.pi * turns * np.sqrt((np.arange(200) + 0.5) / 200)
    arm = (angle / (2 * np.pi * turns) * 2.4)[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return Mixture(np.concatenate([arm, -arm]), sigma)


def _pinwheel(arms: int = 5, sigma: float = 0.12) -> Target:
    radius = np.linspace(0.5, 2.4, 60)
    angle = radius[:, None] * 0.7 + 2 * np.pi * np.arange(arms) / arms
    nodes = radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    return Mixture(nodes.reshape(-1, 2), sigma)


def _checkerboard(cells: int = 4, half: float = 2.0) -> Target:
    size = 2 * half / cells
    corners = [(i, j) for i in range(cells) for j in range(cells) if (i + j) % 2 == 0]
    low = np.array(corners) * size - half
    return Boxes(low, low + size)


def _uniforms(gap: float = 1.0) -> Target:
    """Two unit squares, `gap` apart."""
    low = np.array([[-1 - gap / 2, -0.5], [gap / 2, -0.5]])
    return Boxes(low, low + 1.0, has_modes=True)


def _line(sigma: float = 0.05) -> Target:
    """A Gaussian that is thin across the diagonal."""
    turn = np.array([[1.0, -1.0], [1.0, 1.0]]) / math.sqrt(2)
    return Gaussian(turn @ np.diag([1.5, sigma]))


def _cluster(d: int = 2, modes: int = 4, radius: float = 2.0, sigma: float = 0.5) -> Target:
    """Gaussians on random directions in R^d, the same ones at every call."""
    centres = np.random.default_rng([d, modes]).standard_normal((modes, d))
    return Mixture(radius * centres / np.linalg.norm(centres, axis=1, keepdims=True), sigma, has_modes=True)


KINDS: dict[str, Callable[..., Target]] = {
    "ring": _ring,
    "lattice": _lattice,
    "pair": _pair,
    "circles": _circles,
    "moons": _moons,
    "spirals": _spirals,
    "pinwheel": _pinwheel,
    "checkerboard": _checkerboard,
    "uniforms": _uniforms,
    "line": _line,
    "student": Student,
    "cluster": _cluster,
}


def target_of(entry: dict[str, Any]) -> Target:
    """The target that an entry of the configuration names by `kind` and `parameters`.

    Raises:
        ValueError: the kind is unknown; the known ones are named.
    """
    if entry["kind"] not in KINDS:
        raise ValueError(f"target kind {entry['kind']!r}; allowed: {', '.join(KINDS)}")
    return KINDS[entry["kind"]](**entry.get("parameters", {}))


def entropy_nat(target: Target, rng: np.random.Generator, n: int = 50_000) -> float:
    """Differential entropy by Monte Carlo over the known density, in nat."""
    return float(-target.log_prob(target.sample(n, rng)).mean())
