"""The second layer: drop-in for torchdiffeq 0.2 (github.com/rtqichen/torchdiffeq), same signatures."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, overload

import torch
from torch import Tensor, nn

from odestudy.ode._callbacks import adjoint_hooks, hooks_of
from odestudy.ode._dense import Interpolant
from odestudy.ode._event import EventFn
from odestudy.ode._precision import wide
from odestudy.ode._problem import make_problem
from odestudy.ode._run import Run
from odestudy.ode._solve import finish
from odestudy.ode._state import S, State
from odestudy.ode._times import make_times
from odestudy.ode._torchdiffeq_options import make_plan

Options = Mapping[str, Any]


@overload
def odeint(
    func: Callable[[Tensor, Any], Any],
    y0: S,
    t: Tensor,
    *,
    rtol: Any = 1e-7,
    atol: Any = 1e-9,
    method: str | None = None,
    options: Options | None = None,
    event_fn: None = None,
) -> S: ...


@overload
def odeint(
    func: Callable[[Tensor, Any], Any],
    y0: S,
    t: Tensor,
    *,
    rtol: Any = 1e-7,
    atol: Any = 1e-9,
    method: str | None = None,
    options: Options | None = None,
    event_fn: EventFn,
) -> tuple[Tensor, S]: ...


def odeint(
    func: Callable[[Tensor, Any], Any],
    y0: State,
    t: Tensor,
    *,
    rtol: Any = 1e-7,
    atol: Any = 1e-9,
    method: str | None = None,
    options: Options | None = None,
    event_fn: EventFn | None = None,
) -> Any:
    """States at t, differentiable through the solver's operations, as torchdiffeq's odeint.

    Args:
        func: callable func(t, y), t a scalar tensor, y like y0; gives dy/dt, shaped like y.
        y0: initial state, a tensor of any shape or a tuple of them.
        t: times, shape [T], strictly increasing or decreasing; with event_fn start and direction only.
        rtol: the part of |y| that a step's error may be: a number, a tensor that broadcasts to y0, or one of them
            for each tensor of a tuple.
        atol: what it may be beside that; as rtol.
        method: a name of METHODS; None is "dopri5".
        options: torchdiffeq's, and the method's own (see `solve`). Of adaptive methods: norm, first_step, min_step,
            max_step, step_t, jump_t, safety, ifactor, dfactor, max_num_steps, dtype, compile. Of fixed steps: norm,
            step_size, grid_constructor, interp ("linear", "cubic"), perturb, compile.
        event_fn: callable event_fn(t, y), a tensor; the solve ends where an element changes its sign.

    Returns:
        States, shape [T, *y0.shape], or a tuple of such. With event_fn (event time, a scalar; states at start and
        event, shape [2, *y0.shape]).

    Raises:
        ValueError: an argument is wrong, or an option unknown.
        SolveError: the solve failed.
    """
    problem = make_problem(func, y0, ())
    plan = make_plan(problem, method, rtol, atol, options, hooks_of(func, problem), (func, y0))
    return _results(Run(problem, make_times(t, problem.y0), plan, plan), "backprop", event_fn)


def odeint_dense(
    func: Callable[[Tensor, Any], Any],
    y0: State,
    t0: float | Tensor,
    t1: float | Tensor,
    *,
    rtol: Any = 1e-7,
    atol: Any = 1e-9,
    method: str | None = None,
    options: Options | None = None,
) -> Interpolant:
    """The solution from t0 to t1 as a function of time, differentiable as `odeint`.

    Args:
        func: as for `odeint`.
        y0: initial state, a tensor of any shape or a tuple of them.
        t0: the time of y0, a number; a tensor of one may require a gradient.
        t1: the time to solve to, a number.
        rtol: as for `odeint`.
        atol: as for `odeint`.
        method: any but scipy_solver; None is "dopri5".
        options: as for `odeint`.

    Returns:
        Interpolant: called with a time it gives the state, with times, shape [N], the states, [N, *y0.shape].

    Raises:
        ValueError: an argument is wrong, or an option unknown.
        SolveError: the solve failed.
    """
    problem = make_problem(func, y0, ())
    t = _ends(t0, t1)
    plan = make_plan(problem, method, rtol, atol, options, hooks_of(func, problem), (func, y0))
    run = Run(problem, make_times(t, problem.y0), plan, plan)
    found = finish(run, "backprop", dense=True).raise_on_failure().interpolant
    assert found is not None, "dense output was asked for"
    return found


@overload
def odeint_adjoint(
    func: Callable[[Tensor, Any], Any],
    y0: S,
    t: Tensor,
    *,
    rtol: Any = 1e-7,
    atol: Any = 1e-9,
    method: str | None = None,
    options: Options | None = None,
    event_fn: None = None,
    adjoint_rtol: Any = None,
    adjoint_atol: Any = None,
    adjoint_method: str | None = None,
    adjoint_options: Options | None = None,
    adjoint_params: Iterable[Tensor] | None = None,
) -> S: ...


@overload
def odeint_adjoint(
    func: Callable[[Tensor, Any], Any],
    y0: S,
    t: Tensor,
    *,
    rtol: Any = 1e-7,
    atol: Any = 1e-9,
    method: str | None = None,
    options: Options | None = None,
    event_fn: EventFn,
    adjoint_rtol: Any = None,
    adjoint_atol: Any = None,
    adjoint_method: str | None = None,
    adjoint_options: Options | None = None,
    adjoint_params: Iterable[Tensor] | None = None,
) -> tuple[Tensor, S]: ...


def odeint_adjoint(
    func: Callable[[Tensor, Any], Any],
    y0: State,
    t: Tensor,
    *,
    rtol: Any = 1e-7,
    atol: Any = 1e-9,
    method: str | None = None,
    options: Options | None = None,
    event_fn: EventFn | None = None,
    adjoint_rtol: Any = None,
    adjoint_atol: Any = None,
    adjoint_method: str | None = None,
    adjoint_options: Options | None = None,
    adjoint_params: Iterable[Tensor] | None = None,
) -> Any:
    """States at t, with the gradient by the continuous adjoint, solved backwards (Chen et al. 2018).

    Args:
        func: callable func(t, y), t a scalar tensor, y like y0; gives dy/dt, shaped like y.
        y0: initial state, a tensor of any shape or a tuple of them.
        t: times, shape [T], strictly increasing or decreasing; with event_fn start and direction only.
        rtol: the part of |y| that a step's error may be: a number, a tensor that broadcasts to y0, or one of them
            for each tensor of a tuple.
        atol: what it may be beside that; as rtol.
        method: a name of METHODS; None is "dopri5".
        options: torchdiffeq's, and the method's own (see `solve`). Of adaptive methods: norm, first_step, min_step,
            max_step, step_t, jump_t, safety, ifactor, dfactor, max_num_steps, dtype, compile. Of fixed steps: norm,
            step_size, grid_constructor, interp ("linear", "cubic"), perturb, compile.
        event_fn: callable event_fn(t, y), a tensor; the solve ends where an element changes its sign.
        adjoint_rtol: rtol of the backward solve; None is rtol.
        adjoint_atol: its atol; None is atol.
        adjoint_method: its method; None is method.
        adjoint_options: its options; None is options but for the norm. Its norm is over (t, y, a, *parameters):
            a callable, "seminorm", which leaves the parameters out, or by default the largest of the parts' own.
        adjoint_params: what func depends on, tensors; None takes func's own where it is a module. Nothing else has a
            gradient where they are given.

    Returns:
        States, shape [T, *y0.shape], or a tuple of such. With event_fn (event time, a scalar; states at start and
        event, shape [2, *y0.shape]).

    Raises:
        ValueError: an argument is wrong, or an option unknown.
        SolveError: the solve failed, or the backward one did.
    """
    if adjoint_params is None and not isinstance(func, nn.Module):
        raise ValueError(
            "func must be an nn.Module, so that its parameters are found, or adjoint_params must give them "
            "(adjoint_params=() where there are none)"
        )
    if adjoint_method not in (None, method) and options is not None and adjoint_options is None:
        raise ValueError("options can't be inferred for another adjoint_method: pass adjoint_options")
    problem = make_problem(func, y0, adjoint_params, closed=adjoint_params is not None)
    plan = make_plan(problem, method, rtol, atol, options, hooks_of(func, problem), (func, y0), "adjoint")
    inherited = {k: v for k, v in (options or {}).items() if k != "norm"}
    back = dict(inherited if adjoint_options is None else adjoint_options)
    norm = _adjoint_norm(back.pop("norm", None))
    backward_plan = make_plan(
        problem,
        adjoint_method or method,
        rtol if adjoint_rtol is None else adjoint_rtol,
        atol if adjoint_atol is None else adjoint_atol,
        back,
        adjoint_hooks(func, problem),
        (func, y0),
        "adjoint",
        back=True,
    )
    run = Run(problem, make_times(t, problem.y0), plan, backward_plan, adjoint_norm=norm)
    return _results(run, "adjoint", event_fn)


def _ends(t0: float | Tensor, t1: float | Tensor) -> Tensor | list[float]:
    """Two times, a tensor where one of them is to have a gradient."""
    wanted = [x for x in (t0, t1) if isinstance(x, Tensor) and x.requires_grad]
    if not wanted:
        return [float(t0), float(t1)]
    device = wanted[0].device
    return torch.stack([torch.as_tensor(x, dtype=wide(device), device=device).reshape(()) for x in (t0, t1)])


def _adjoint_norm(norm: Any) -> Any:
    if norm is None:
        return "mixed"
    if not callable(norm) and norm != "seminorm":
        raise ValueError(
            f"the adjoint's norm must be 'seminorm' or a callable on (t, y, a, *params), got {norm!r}"
        )
    return norm


def _results(run: Run, gradient: str, event_fn: EventFn | None) -> Any:
    if event_fn is None:
        return finish(run, gradient).raise_on_failure().ys
    if len(run.times.values) != 2:
        raise ValueError(
            f"with event_fn, t must hold start and direction, two times; got {len(run.times.values)}"
        )
    solution = finish(run, gradient, event_fn=event_fn).raise_on_failure()
    return solution.event_t, solution.ys
