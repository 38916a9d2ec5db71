"""A small net and points for the tests of flows."""

import torch

from odestudy.densities.fields import Field


def points(n=16, d=2, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def net(d=2, width=16, seed=0):
    torch.manual_seed(seed)
    field = Field(d, width).double().requires_grad_(False)
    field.last.weight.mul_(4)
    return field
