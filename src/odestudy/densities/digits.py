"""Handwritten digits of 8 x 8 pixels as samples of a density in 64 dimensions, made continuous by uniform noise."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from odestudy.datasets.images import LOADERS

LEVELS, SCALE, D = 17, 4.0, 64  # grey values 0 to 16; the values lie between -2 and 2


class Digits:
    """The training part as a law that can be sampled, with the test part apart.

    Source: Theis et al. 2016, section 3.1, for the noise; with it the expected density bounds the probability of the
    pixels from below.
    """

    d = D

    def __init__(self) -> None:
        train, test, _ = LOADERS["digits"]()
        self._train, self._test = (part[0].reshape(-1, D).double() * (LEVELS - 1) for part in (train, test))

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        """Training images drawn with replacement, each with fresh noise, (n, 64) float64."""
        return _continuous(self._train[torch.from_numpy(rng.integers(len(self._train), size=n))], rng)

    def test(self, rng: np.random.Generator) -> Tensor:
        """All test images, with noise, (360, 64) float64."""
        return _continuous(self._test, rng)


def _continuous(pixels: Tensor, rng: np.random.Generator) -> Tensor:
    noise = torch.from_numpy(rng.random(tuple(pixels.shape)))
    return ((pixels + noise) / LEVELS - 0.5) * SCALE


def bits_per_dim(log_prob: Tensor) -> float:
    """Mean bits that a pixel takes, from log-densities of the scaled images in nat, (n,)."""
    return (-float(log_prob.mean()) / D - math.log(SCALE / LEVELS)) / math.log(2)
