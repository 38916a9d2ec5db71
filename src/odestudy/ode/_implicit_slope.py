"""The gradient of an implicit stage by the implicit function theorem."""

from typing import Any

import torch
from torch import Tensor

from odestudy.ode._jacobian import Jacobian, Shifted, jacobian, rows
from odestudy.ode._step import Field


def attach(f: Field, time: Tensor, base: Tensor, scale: Any, slope: Tensor, kind: Jacobian) -> Tensor:
    """`slope`, which solves k = f(time, base + scale k), as a function of all that f, base and scale depend on.

    dk = (I - scale J)^-1 df, J at the solution: backward is one linear solve with the transposed matrix and
    one pass through f (Hairer, Wanner II, section IV.8; Bai, Kolter, Koltun 2019, arXiv 1909.01377, theorem 1).
    """
    stage = base + (scale * slope).to(base.dtype)
    if not stage.requires_grad:
        stage = stage.detach().requires_grad_()
    value = f(time, stage)
    return (
        _ImplicitSlope.apply(slope, value, stage, time, float(scale), kind) if value.requires_grad else slope
    )


class _ImplicitSlope(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, slope: Tensor, value: Tensor, stage: Tensor, time: Tensor, scale: float, kind: Jacobian
    ) -> Tensor:
        ctx.save_for_backward(value, stage, time)
        ctx.scale, ctx.kind = scale, kind
        return slope.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise RuntimeError("an implicit step is differentiated once only: leave out create_graph")
        value, stage, time = ctx.saved_tensors
        if callable(ctx.kind):
            exact = jacobian(lambda t, y: value, time, stage, ctx.kind)
        else:
            exact = rows(value, stage, ctx.kind)
        return None, Shifted.of(exact, ctx.scale).solve(grad, transposed=True), None, None, None, None
