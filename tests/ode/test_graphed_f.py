"""An f that is a CUDA graph, as torch.cuda.make_graphed_callables makes one: here an imitation, which has its ways.

Input, output and gradients lie in one memory each, and backward is that of the last evaluation, whichever is asked.
"""

from typing import Any

import pytest
import torch
from helpers import F64, Mlp
from torch import Tensor, nn

from odestudy.ode import solve


class Replayed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, graph: "Graphed", t: Tensor, y: Tensor, *params: Tensor) -> Tensor:
        ctx.graph = graph
        graph.t.copy_(t)
        with torch.no_grad():
            graph.y.copy_(y)
        with torch.enable_grad():
            graph.out = graph.f(graph.t, graph.y)
        return graph.slope.copy_(graph.out.detach()).detach()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        graph = ctx.graph
        found = torch.autograd.grad(graph.out, graph.inputs, grad)
        for memory, g in zip(graph.grads, found, strict=True):
            memory.copy_(g)
        return None, None, *graph.grads


class Graphed(nn.Module):
    """f on one shape of y."""

    def __init__(self, f: nn.Module, y: Tensor) -> None:
        super().__init__()
        self.f, self.y, self.t = f, y.detach().clone().requires_grad_(), torch.zeros((), dtype=y.dtype)
        self.inputs = (self.y, *f.parameters())
        self.grads, self.slope = [torch.zeros_like(x) for x in self.inputs], torch.zeros_like(y)
        self.out: Tensor

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return Replayed.apply(self, t, y, *self.f.parameters())


@pytest.mark.parametrize("gradient", ["adjoint", "quadrature"])
@pytest.mark.parametrize("steps", [{}, {"method": "rk4", "dt0": 0.1}])
def test_an_adjoint_differentiates_a_graphed_f_as_f_itself(gradient: str, steps: dict[str, Any]) -> None:
    found = []
    for graphed in (False, True):
        y0 = torch.linspace(-1, 1, 6, dtype=F64).reshape(3, 2).requires_grad_()
        f: Any = Mlp()
        field = Graphed(f, y0) if graphed else f
        ys = solve(field, y0, [0.0, 0.5, 1.0], gradient=gradient, **steps).ys
        found.append((ys.detach(), *torch.autograd.grad(ys.square().sum(), (y0, *f.parameters()))))
    for a, b in zip(*found, strict=True):
        assert torch.equal(a, b)
