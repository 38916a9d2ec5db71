"""torchdiffeq's options, checked and turned into a plan."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._arguments import finite_times, number, whole
from odestudy.ode._callbacks import warn_of_ignored
from odestudy.ode._compilation import with_compilation
from odestudy.ode._control import Control
from odestudy.ode._controller import PIDController
from odestudy.ode._grid import ON_TIMES, Grid, uniform
from odestudy.ode._hooks import Hooks
from odestudy.ode._interp import INTERPOLATIONS, with_interpolation
from odestudy.ode._methods import METHODS, controller_of, make_stepper, options_of
from odestudy.ode._norms import Norm, mixed, rms
from odestudy.ode._plan import Plan
from odestudy.ode._precision import wide
from odestudy.ode._problem import Problem
from odestudy.ode._status import choose
from odestudy.ode._tolerance import make_tolerance

UNLIMITED = 2**31 - 1  # steps, where torchdiffeq has no limit
ADAPTIVE_OPTIONS = (
    "norm",
    "first_step",
    "min_step",
    "max_step",
    "step_t",
    "jump_t",
    "safety",
    "ifactor",
    "dfactor",
    "max_num_steps",
    "dtype",
    "compile",
)
FIXED_OPTIONS = ("norm", "step_size", "grid_constructor", "interp", "perturb", "compile")
SCIPY_OPTIONS = ("norm", "min_step", "max_step", "solver")


def make_plan(
    problem: Problem,
    method: str | None,
    rtol: Any,
    atol: Any,
    options: Mapping[str, Any] | None,
    hooks: Hooks,
    caller: tuple[Callable[..., Any], Any],
    gradient: str = "backprop",
    back: bool = False,
) -> Plan:
    """A plan with torchdiffeq's defaults; `caller` is (func, y0) as the user gave them, `back` says that it is the adjoint's.

    Raises ValueError for an unknown method, an unknown option (with the known ones), or one with a bad value.
    """
    method, options = method or "dopri5", dict(options or {})
    choose("method", method, METHODS)
    own = options_of(method)
    for name in options:
        choose(f"option for method {method!r}:", name, (*_common_options(method), *own))
    stepper = make_stepper(method, options={k: v for k, v in options.items() if k in own})
    warn_of_ignored(caller[0], stepper, adjoint=back)
    tolerance = make_tolerance(rtol, atol, _norm(options.get("norm"), problem), problem)
    stepper = with_compilation(stepper, tolerance, options.get("compile", False), gradient, problem.y0.device)
    if method == "scipy_solver" or stepper.error_power > 0:
        return Plan(stepper, tolerance, _control(options, controller_of(method)), hooks=hooks)
    interp = options.get("interp", "linear")
    choose("interp", interp, tuple(INTERPOLATIONS))
    return Plan(
        with_interpolation(stepper, interp),
        tolerance,
        Control(dt0=_number(options, "step_size", None), max_steps=UNLIMITED),
        grid=_grid(options, caller, problem.y0),
        perturb=bool(options.get("perturb", False)),
        hooks=hooks,
    )


def _common_options(method: str) -> tuple[str, ...]:
    """The options of the method's kind."""
    if method == "scipy_solver":
        return SCIPY_OPTIONS
    return ADAPTIVE_OPTIONS if make_stepper(method).error_power > 0 else FIXED_OPTIONS


def _control(options: dict[str, Any], pid: PIDController) -> Control:
    pid = replace(
        pid,
        safety=_number(options, "safety", pid.safety),
        factor_max=_number(options, "ifactor", pid.factor_max),
        factor_min=_number(options, "dfactor", pid.factor_min),
    )
    _check_dtype(options.get("dtype", torch.float64))
    dtmin = _number(options, "min_step", 0.0)
    return Control(
        pid=pid,
        dt0=_number(options, "first_step", None),
        dtmin=dtmin,
        dtmax=_number(options, "max_step", math.inf),
        max_steps=_count(options, "max_num_steps"),
        max_steps_each=True,
        force_dtmin=dtmin > 0,
        step_t=_floats(options, "step_t"),
        jump_t=_floats(options, "jump_t"),
    )


def _check_dtype(dtype: Any) -> None:
    """Times are as precise here as the device can have them, whatever the option says."""
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise ValueError(
            f"option 'dtype' must be a floating point torch.dtype, such as torch.float64, got {dtype!r}"
        )


def _number(options: dict[str, Any], name: str, default: Any) -> Any:
    value = options.get(name)
    return default if value is None else number(f"option {name!r}", value)


def _count(options: dict[str, Any], name: str) -> int:
    value = options.get(name)
    return UNLIMITED if value is None else whole(f"option {name!r}", value, 1)


def _floats(options: dict[str, Any], name: str) -> tuple[float, ...]:
    value = options.get(name)
    if value is None:
        return ()
    if not isinstance(value, Tensor | list | tuple):
        raise ValueError(f"option {name!r} must be a tensor of times, got {type(value).__name__}")
    times = finite_times(f"option {name!r}", value)
    if len(set(times)) < len(times):
        raise ValueError(f"option {name!r} must not repeat times, got {times}")
    return times


def _norm(norm: Any, problem: Problem) -> Norm:
    if norm is None:
        return rms if problem.shapes is None else mixed(problem.shapes)
    if not callable(norm):
        raise ValueError(f"option 'norm' must be a callable on the state, got {norm!r}")
    return norm if problem.layout.plain else lambda r: norm(problem.restore(r, leading=0))


def _grid(options: dict[str, Any], caller: tuple[Callable[..., Any], Any], y0: Tensor) -> Grid:
    step_size, constructor = _number(options, "step_size", None), options.get("grid_constructor")
    if step_size is not None and constructor is not None:
        raise ValueError("step_size and grid_constructor exclude each other; give one of them")
    if step_size is not None and not step_size > 0:
        raise ValueError(f"option 'step_size' must be positive, got {step_size}")
    if constructor is None:
        return ON_TIMES if step_size is None else uniform(step_size)

    def grid(times: Sequence[float]) -> list[float]:
        given = torch.tensor(times, dtype=wide(y0.device), device=y0.device)
        points, (first, *_, last) = [float(p) for p in constructor(*caller, given)], given.tolist()
        if points[0] != first or points[-1] != last:
            raise ValueError(f"grid_constructor's grid must run from {first} to {last}, got {points}")
        return [times[0], *points[1:-1], times[-1]]

    return Grid(grid, drifts=True)
