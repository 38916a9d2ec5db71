"""The second layer: drop-in for torchdiffeq 0.2 (github.com/rtqichen/torchdiffeq), same signatures."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, overload

from torch import Tensor, nn

from odestudy.ode._callbacks import adjoint_hooks, hooks_of
from odestudy.ode._dense import Interpolant
from odestudy.ode._event import EventFn
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
    """States at t, shape [len(t), *y0.shape], differentiable through the solver's operations.

    With event_fn, (event time, states at start and event) instead. Raises SolveError where the solve fails,
    ValueError for wrong arguments or unknown options.
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
    """The solution from t0 to t1 as a function of time: a state at a time, or states at a tensor of times.

    Any method but scipy's, and tuple states too; differentiable as `odeint`, which raises the same.
    """
    t = [float(t0), float(t1)]
    problem = make_problem(func, y0, ())
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
    """As `odeint`, with the gradient by the continuous adjoint, solved backwards (Chen et al. 2018).

    The error norm of the backward solve is mixed over state, adjoint and each parameter;
    adjoint_options={"norm": "seminorm"} leaves the parameters out. Raises as `odeint`, and SolveError in
    backward.
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
