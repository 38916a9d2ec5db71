"""What error is allowed, and how far an attempted step stays within it."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._arguments import number
from odestudy.ode._constants import constant
from odestudy.ode._norms import Norm, rms
from odestudy.ode._precision import on
from odestudy.ode._problem import Problem


@dataclass(frozen=True)
class Tolerance:
    """Allowed error per element, atol + rtol |y|; floats, or tensors that broadcast to the state."""

    rtol: float | Tensor
    atol: float | Tensor
    norm: Norm = rms

    def scale(self, size: Tensor) -> Tensor:
        """The allowed error for elements of magnitude `size`."""
        if isinstance(self.rtol, float) and isinstance(self.atol, float):
            return torch.addcmul(constant(self.atol, size), size, constant(self.rtol, size))
        return (size * self.rtol + self.atol).to(size.dtype)

    def ratio(self, errors: tuple[Tensor, ...], y: Tensor, y1: Tensor) -> Tensor:
        """Norm of error over allowed error; a step is good when it is at most 1 (HNW I, eq. II.4.11).

        With two estimates, DOP853's combination (HNW I, section II.10): e5^2 / sqrt(e5^2 + 0.01 e3^2).
        """
        scale = self.scale(torch.maximum(y.abs(), y1.abs()))
        first = self.norm(errors[0] / scale)
        if len(errors) == 1:
            return first
        second = self.norm(errors[1] / scale)
        both = first * first + 0.01 * second * second
        return torch.where(both > 0, first * first / both.sqrt(), both)  # nan stays nan: both > 0 is false


def make_tolerance(rtol: Any, atol: Any, norm: Norm, problem: Problem) -> Tolerance:
    """Numbers, tensors that broadcast to y0, or one of them per tensor of a tuple; ValueError for others."""
    return Tolerance(_allowed("rtol", rtol, problem), _allowed("atol", atol, problem), norm)


def _allowed(name: str, value: Any, problem: Problem) -> float | Tensor:
    if isinstance(value, Tensor) and value.requires_grad:
        raise ValueError(f"{name} cannot require a gradient; detach it")
    if isinstance(value, list | tuple):
        if problem.shapes is None or len(value) != len(problem.shapes):
            what = "no tuple" if problem.shapes is None else f"a tuple of {len(problem.shapes)}"
            raise ValueError(f"{name} has {len(value)} entries, but y0 is {what}; give one per tensor of y0")
        each = zip(value, problem.shapes, strict=True)
        value = torch.cat([_spread(name, v, s, problem.y0).reshape(-1) for v, s in each])
    elif isinstance(value, Tensor) and value.numel() > 1:
        value = _beside(on(problem.y0.device, value), problem)
        _spread(name, value, problem.y0.shape, problem.y0)
    else:
        value = number(name, value)
    good = (value >= 0) & (value < math.inf)
    if not (good if isinstance(good, bool) else bool(good.all())):
        raise ValueError(f"{name} must not be negative or nan, nor infinite, got {value}")
    return value


def _beside(value: Tensor, problem: Problem) -> Tensor:
    """The tolerance of complex numbers for both of their parts."""
    dtypes = problem.layout.dtypes
    return value[..., None] if dtypes is not None and dtypes[0].is_complex else value


def _spread(name: str, value: Any, shape: torch.Size, y0: Tensor) -> Tensor:
    """The tolerance for each element of a tensor of this shape."""
    try:
        return torch.as_tensor(value, dtype=y0.dtype, device=y0.device).expand(shape)
    except (TypeError, ValueError, RuntimeError) as error:
        got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
        raise ValueError(
            f"{name} must be a number or broadcast to y0's shape {tuple(shape)}, got {got}"
        ) from error
