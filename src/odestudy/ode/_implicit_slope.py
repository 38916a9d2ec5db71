"""Solutions of implicit stages as functions of what they depend on, by the implicit function theorem."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from odestudy.ode._jacobian import Jacobian, Shifted, jacobian
from odestudy.ode._span import Span
from odestudy.ode._step import VectorField

SECOND = "an implicit step is differentiated once only: leave out create_graph"


def attach(
    f: VectorField, time: Tensor, base: Tensor, span: Span, gamma: float, slope: Tensor, kind: Jacobian
) -> Tensor:
    """`slope`, which solves k = f(time, base + gamma dt k), as a function of all that f, base and dt depend on.

    dk = (I - gamma dt J)^-1 df, J at the solution: backward is one linear solve with the transposed matrix and
    one pass through f (Hairer, Wanner II, section IV.8; Bai, Kolter, Koltun 2019, arXiv 1909.01377, theorem 1).
    """
    stage = base + (slope * (gamma * span.dt)).to(base.dtype)
    value = f(time, stage)
    if not value.requires_grad:
        return slope
    return _Slope.apply(slope, value, f, time.detach(), stage.detach(), gamma * span.length, kind)


class _Slope(torch.autograd.Function):
    """J is made in backward, at a state without history: autograd walks through all that it is given."""

    @staticmethod
    def forward(ctx: Any, slope: Tensor, value: Tensor, f: VectorField, *where: Any) -> Tensor:
        ctx.f, (time, stage, ctx.scale, ctx.kind) = f, where
        ctx.save_for_backward(time, stage)
        return slope.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise RuntimeError(SECOND)
        time, stage = ctx.saved_tensors
        exact = jacobian(ctx.f, time, stage, ctx.kind)
        back = Shifted.of(exact, ctx.scale).solve(grad, transposed=True)
        return None, back, None, None, None, None, None


def along(f: VectorField, time: Tensor, y: Tensor, dt: Tensor, dy: Tensor) -> Tensor:
    """df/dt dt + df/dy dy in forward mode, itself a function of time, y and f's parameters."""
    with forward_ad.dual_level():
        out = f(forward_ad.make_dual(time, dt), forward_ad.make_dual(y, dy))
        tangent = forward_ad.unpack_dual(out).tangent
    return torch.zeros_like(y) if tangent is None else tangent


def attach_solution(u: Tensor, right: Tensor, matrix: Shifted) -> Tensor:
    """`u`, which solves u = right(u), as a function of all that `right` depends on beside u.

    du = (I - scale J)^-1 d right, where scale J u is among what is on the right.
    """
    return _Solution.apply(u, right, matrix) if right.requires_grad else u


class _Solution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor, right: Tensor, matrix: Shifted) -> Tensor:
        ctx.matrix = matrix
        return u.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise RuntimeError(SECOND)
        return None, ctx.matrix.solve(grad, transposed=True), None
