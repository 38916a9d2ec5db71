"""A density in the units of the data, from one in standardised coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from odestudy.densities.models.flow import FlowDensity


@dataclass(frozen=True)
class Scaled:
    """The flow of (x - centre) / scale, with the volume of the scaling; centre and scale (d,)."""

    flow: FlowDensity
    centre: Tensor
    scale: Tensor

    def standardised(self, x: Tensor) -> Tensor:
        return (x - self.centre) / self.scale

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density at x (n, d), in nat, (n,)."""
        return self.flow.log_prob(self.standardised(x)) - self.scale.log().sum()

    def sampler_log_prob(self, x: Tensor) -> Tensor:
        """Log-density of what `sample` gives, (n,)."""
        return self.flow.sampler_log_prob(self.standardised(x)) - self.scale.log().sum()

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        """Independent samples, (n, d)."""
        return torch.addcmul(self.centre, self.flow.sample(n, rng), self.scale)
