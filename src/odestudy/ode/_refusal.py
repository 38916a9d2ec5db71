"""Values that have no derivative: right as they are, refused where one is asked for."""

from typing import Any

import torch
from torch import Tensor


def without_derivative(x: Tensor, message: str, *causes: Tensor) -> Tensor:
    """x, which raises RuntimeError with this message where back-propagation reaches it.

    It does where x, or one of its `causes` that autograd has not seen, needs a gradient.
    """
    return _Refused.apply(message, x, *causes) if torch.is_grad_enabled() else x


class _Refused(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, message: str, x: Tensor, *causes: Tensor) -> Tensor:
        ctx.message = message
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        raise RuntimeError(ctx.message)


def differentiated_once(x: Tensor, message: str) -> Tensor:
    """x, whose gradient raises RuntimeError with this message where it is itself differentiated."""
    return _Once.apply(x, message) if torch.is_grad_enabled() and x.requires_grad else x


class _Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, message: str) -> Tensor:
        ctx.message = message
        ctx.save_for_backward(x)
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        if not torch.is_grad_enabled():
            return grad, None
        return *refuse_twice((grad,), ctx.message, *ctx.saved_tensors, grad), None


def refuse_twice(
    grads: tuple[Tensor | None, ...], message: str, *causes: Tensor
) -> tuple[Tensor | None, ...]:
    """First derivatives that raise RuntimeError where one is differentiated once more, by any of its `causes`.

    Without these autograd would find them to depend on nothing, and take their derivatives for zeros.
    """
    with torch.enable_grad():
        return tuple(
            None if g is None else without_derivative(g.detach().requires_grad_(), message, *causes)
            for g in grads
        )
