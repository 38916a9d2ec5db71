"""The initial value problem, brought to the form that the solvers work on: one tensor as state."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from odestudy.ode._layout import GIVEN, Layout, autocast_dtype, make_layout, with_autocast
from odestudy.ode._state import State
from odestudy.ode._step import VectorField


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
    """f(t, y) on one real tensor, the initial value, how a state is laid out in it, and f's parameters.

    `autocast` is the type in which the caller had f computed. With `closed` the parameters are all that gets a gradient, whatever else f uses.
    """

    f: VectorField
    y0: Tensor
    layout: Layout
    params: tuple[Tensor, ...] | None
    module: nn.Module | None
    autocast: torch.dtype | None = None
    closed: bool = False

    @property
    def shapes(self) -> tuple[torch.Size, ...] | None:
        """Those of a tuple state's tensors; None for one tensor."""
        return self.layout.shapes

    def restore(self, ys: Tensor, leading: int = 1) -> State:
        """States as the caller gave them."""
        return self.layout.restore(ys, leading)

    def on_flat(self, f: Callable[[Tensor, Any], Any]) -> VectorField:
        """Another f(t, y) of the caller's kind as the solvers see this one."""
        return self.layout.on_flat(with_autocast(f, self.y0.device, self.autocast))


def make_problem(
    f: Callable[[Tensor, Any], Any],
    y0: State,
    params: Iterable[Tensor] | nn.Module | None,
    closed: bool = False,
) -> Problem:
    """Checks and normalises; raises ValueError for a state that holds no floating point numbers."""
    if not callable(f):
        raise ValueError(f"f must be a callable f(t, y) that gives dy/dt, got {type(f).__name__}")
    parts = (y0,) if isinstance(y0, Tensor) else y0
    if not isinstance(parts, tuple) or not parts or not all(isinstance(p, Tensor) for p in parts):
        raise ValueError(
            f"y0 must be a tensor or a non-empty tuple of tensors, got {type(y0).__name__}; "
            "wrap numbers and arrays with torch.as_tensor"
        )
    for part in parts:
        if part.dtype not in GIVEN:
            raise ValueError(
                f"y0 must hold floating point numbers, real or complex, got {part.dtype}; use y0.double()"
            )
    layout, device = make_layout(parts, isinstance(y0, tuple)), parts[0].device
    autocast = autocast_dtype(device)
    return Problem(
        layout.on_flat(with_autocast(f, device, autocast)),
        layout.flatten(y0),
        layout,
        _parameters(f, params),
        f if isinstance(f, nn.Module) else None,
        autocast,
        closed,
    )


def _parameters(f: Any, params: Iterable[Tensor] | nn.Module | None) -> tuple[Tensor, ...] | None:
    """The parameters that need a gradient, each once; None where they are neither given nor found."""
    if params is None and isinstance(f, nn.Module):
        params = f
    if isinstance(params, nn.Module):
        params = params.parameters()
    if params is None:
        return None
    found = tuple(params) if isinstance(params, Iterable) else (params,)
    if not all(isinstance(p, Tensor) for p in found):
        raise ValueError("params must be tensors (or a module whose parameters they are)")
    return tuple({id(p): p for p in found if p.requires_grad}.values())
