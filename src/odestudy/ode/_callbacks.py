"""torchdiffeq's callbacks, found as attributes of the dynamics."""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._hooks import Hook, Hooks, nothing
from odestudy.ode._layout import unflatten
from odestudy.ode._precision import wide
from odestudy.ode._problem import Problem
from odestudy.ode._scipy_solver import ScipySolver
from odestudy.ode._stepper import Stepper

NAMES = ("callback_step", "callback_accept_step", "callback_reject_step")


def hooks_of(func: Any, problem: Problem) -> Hooks:
    """The hooks that call func.callback_step(t0, y0, dt), and so on, with the state as the user gave it."""

    def present(t: Tensor, y: Tensor, dt: Tensor, callback: Callable[..., None]) -> None:
        callback(t, problem.restore(y, leading=0), dt)

    return Hooks(*(_hook(getattr(func, name, None), present) for name in NAMES))


def adjoint_hooks(func: Any, problem: Problem) -> Hooks:
    """The hooks of func.callback_step_adjoint and so on; their state is (0, y, a, *parameters' gradients)."""
    params = problem.params or ()
    sizes = (problem.y0.shape, problem.y0.shape, *(p.shape for p in params))

    def present(t: Tensor, z: Tensor, dt: Tensor, callback: Callable[..., None]) -> None:
        callback(t, (z.new_zeros(()), *unflatten(z, sizes)), dt)

    return Hooks(*(_hook(getattr(func, f"{name}_adjoint", None), present) for name in NAMES))


def warn_of_ignored(func: Any, stepper: Stepper, adjoint: bool = False) -> None:
    """Warns, as torchdiffeq does, of callbacks that the method never calls: fixed steps are neither accepted nor not."""
    called = NAMES if stepper.error_power else () if isinstance(stepper, ScipySolver) else NAMES[:1]
    suffix = "_adjoint" if adjoint else ""
    ignored = [name + suffix for name in NAMES if name not in called and hasattr(func, name + suffix)]
    if ignored:
        warnings.warn(f"method {stepper.name!r} never calls {', '.join(ignored)}", stacklevel=4)


def _hook(callback: Any, present: Callable[..., None]) -> Hook:
    if callback is None:
        return nothing

    def hook(t: float, y: Tensor, dt: float) -> None:
        t0, size = torch.tensor([t, abs(dt)], dtype=wide(y.device), device=y.device).unbind()
        present(t0, y, size, callback)

    return hook
