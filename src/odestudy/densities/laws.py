"""Families of distributions in R^d whose density is known everywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from scipy.stats import chi2, f
from torch import Tensor

from odestudy.densities.normal import LOG_2PI, standard_normal

CHUNK = 4096
NEAR = 1 - math.exp(-4.5)  # the share of a plane Gaussian within three standard deviations


class Target(Protocol):
    """A distribution in R^d that can be sampled and whose density is known.

    Attributes:
        modes: the centres that a sample may belong to, or None where modes make no sense.
        mode_radius: within this distance of a centre a sample is of high quality; in the plane three standard
            deviations, and with the same share of a Gaussian in any other dimension.
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
        return self.sigma * math.sqrt(chi2.ppf(NEAR, self.d))

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

    def radius(self, probability: float) -> float:
        """Within which a sample lies with a probability; |x|^2 / d has Fisher's law (Kotz, Nadarajah 2004, section 1.2)."""
        return math.sqrt(self.d * f.ppf(probability, self.d, self.nu))

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
