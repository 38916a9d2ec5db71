"""Planar flows (Rezende, Mohamed 2015): z + u tanh(w z + b), layer after layer, from data to base."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from odestudy.densities.normal import standard_normal


class PlanarFlow(nn.Module):
    """Layers that stay invertible because u is corrected so that w u > -1 (appendix A.1).

    They start near the identity, where the corrected u vanishes, so that many of them can be trained, too.
    """

    def __init__(self, d: int, layers: int) -> None:
        super().__init__()
        self.d = d
        self.w = nn.Parameter(torch.randn(layers, d))
        still = math.log(math.e - 1) * self.w.detach() / self.w.detach().square().sum(1, keepdim=True)
        self.u = nn.Parameter(still + torch.randn(layers, d) / (10 * layers**0.5))
        self.b = nn.Parameter(torch.randn(layers))

    def _corrected(self, k: int) -> Tensor:
        w, u = self.w[k], self.u[k]
        inner = w @ u
        return u + (nn.functional.softplus(inner) - 1 - inner) * w / w.square().sum()

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density at x (n, d), (n,)."""
        gain = torch.zeros_like(x[:, 0])
        for k in range(len(self.b)):
            u, bend = self._corrected(k), torch.tanh(x @ self.w[k] + self.b[k])
            gain = gain + torch.log1p((1 - bend.square()) * (self.w[k] @ u))
            x = x + bend[:, None] * u
        return standard_normal(x) + gain

    def sample(self, n: int) -> Tensor:
        """Samples by the inverse; along w each layer is a monotonic scalar map, solved by bisection."""
        z = torch.randn(n, self.d).to(self.w)
        for k in reversed(range(len(self.b))):
            u = self._corrected(k)
            slope, goal = self.w[k] @ u, z @ self.w[k]
            low, high = goal - slope.abs() - 1, goal + slope.abs() + 1
            for _ in range(60):
                middle = (low + high) / 2
                above = middle + slope * torch.tanh(middle + self.b[k]) > goal
                low, high = torch.where(above, low, middle), torch.where(above, middle, high)
            z = z - torch.tanh((low + high) / 2 + self.b[k])[:, None] * u
        return z
