"""Sums over many elements are made in place; their numbers, and their gradients, are those of small states."""

import pytest
import torch
from helpers import F64
from torch import Tensor, nn

from odestudy.ode import solve
from odestudy.ode._step import LARGE


class Damped(nn.Module):
    """y' = -w tanh(y) sin(t), element by element."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(1.3, dtype=F64))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return -self.w * torch.tanh(y) * torch.sin(t)


@pytest.mark.parametrize("gradient", ["backprop", "checkpointed"])
@pytest.mark.parametrize("method", ["dopri5", "dopri8", "rk4", "bosh3"])
def test_an_element_is_the_same_among_many(method: str, gradient: str) -> None:
    found = []
    for copies in (1, LARGE):
        f = Damped()
        y0 = torch.linspace(-1, 2, 7, dtype=F64).expand(copies, 7).clone().requires_grad_()
        ys = solve(f, y0, [0.0, 0.4, 1.0], method=method, gradient=gradient, rtol=1e-5, atol=1e-7).ys
        (g,) = torch.autograd.grad(ys[-1].sin().sum(), y0)
        found.append((ys[:, 0], g[0]))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)
