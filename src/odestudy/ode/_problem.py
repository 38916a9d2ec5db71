"""The initial value problem, brought to the form that the solvers work on: one tensor as state."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from odestudy.ode._state import State
from odestudy.ode._step import VectorField


def unflatten(flat: Tensor, shapes: tuple[torch.Size, ...], leading: int = 0) -> tuple[Tensor, ...]:
    """Splits the last dimension of `flat` into tensors of these shapes, after `leading` common dimensions."""
    lead = flat.shape[:leading]
    chunks = flat.split([s.numel() for s in shapes], dim=-1)
    return tuple(chunk.reshape((*lead, *s)) for chunk, s in zip(chunks, shapes, strict=True))


def needed(params: tuple[Tensor, ...] | None) -> tuple[Tensor, ...]:
    """The parameters; raises ValueError where they are neither given nor found."""
    if params is None:
        raise ValueError(
            "this gradient needs f's parameters: make f an nn.Module, or pass params= "
            "(params=() where there are none)"
        )
    return params


@dataclass(frozen=True)
class Problem:
    """f(t, y) on one tensor, the initial value, the shapes of a tuple state (or None), and f's parameters."""

    f: VectorField
    y0: Tensor
    shapes: tuple[torch.Size, ...] | None
    params: tuple[Tensor, ...] | None
    module: nn.Module | None

    def restore(self, ys: Tensor, leading: int = 1) -> State:
        """States as the caller gave them."""
        return ys if self.shapes is None else unflatten(ys, self.shapes, leading)

    def flatten(self, state: Any) -> Tensor:
        """One state, or slope, as the solvers see it."""
        return state if self.shapes is None else torch.cat([part.reshape(-1) for part in state])


def make_problem(
    f: Callable[[Tensor, Any], Any], y0: State, params: Iterable[Tensor] | nn.Module | None
) -> Problem:
    """Checks and normalises; raises ValueError for a state that is not of float32 or float64."""
    if not callable(f):
        raise ValueError(f"f must be a callable f(t, y) that gives dy/dt, got {type(f).__name__}")
    parts = (y0,) if isinstance(y0, Tensor) else y0
    if not isinstance(parts, tuple) or not parts or not all(isinstance(p, Tensor) for p in parts):
        raise ValueError(
            f"y0 must be a tensor or a non-empty tuple of tensors, got {type(y0).__name__}; "
            "wrap numbers and arrays with torch.as_tensor"
        )
    for part in parts:
        if part.dtype not in (torch.float32, torch.float64):
            raise ValueError(
                f"y0 must hold real floating point numbers, float32 or float64, got {part.dtype}; "
                "use y0.double() (for complex numbers torch.view_as_real)"
            )
    module = f if isinstance(f, nn.Module) else None
    found = _parameters(module, params)
    if isinstance(y0, Tensor):
        return Problem(f, y0, None, found, module)
    shapes = tuple(part.shape for part in parts)
    flat = torch.cat([part.reshape(-1) for part in parts])

    def flat_f(t: Tensor, y: Tensor) -> Tensor:
        return torch.cat([dy.reshape(-1) for dy in f(t, unflatten(y, shapes))])

    return Problem(flat_f, flat, shapes, found, module)


def _parameters(
    module: nn.Module | None, params: Iterable[Tensor] | nn.Module | None
) -> tuple[Tensor, ...] | None:
    """The parameters that need a gradient; None where they are neither given nor found."""
    if isinstance(params, nn.Module):
        params = params.parameters()
    if params is None:
        if module is None:
            return None
        params = module.parameters()
    found = tuple(params) if isinstance(params, Iterable) else (params,)
    if not all(isinstance(p, Tensor) for p in found):
        raise ValueError("params must be tensors (or a module whose parameters they are)")
    return tuple(p for p in found if p.requires_grad)
