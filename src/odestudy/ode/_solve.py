"""The first layer: one initial value problem, solved with everything explicit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Unpack, overload

import torch
from torch import Tensor, nn

from odestudy.ode._arguments import finite_times, number
from odestudy.ode._compilation import with_compilation
from odestudy.ode._control import Control
from odestudy.ode._controller import PIDController
from odestudy.ode._dense import Interpolant, Recorder
from odestudy.ode._event import Direction, Event, EventFn
from odestudy.ode._event_gradient import rerouted
from odestudy.ode._grid import ON_TIMES, Grid, explicit, uniform
from odestudy.ode._layout import without_autocast
from odestudy.ode._methods import Method, controller_of, make_stepper
from odestudy.ode._norms import NORMS, Norm, check_norm, mixed, rms
from odestudy.ode._plan import Plan
from odestudy.ode._problem import Problem, make_problem
from odestudy.ode._run import Run
from odestudy.ode._save import check_save, on_flat, reduced
from odestudy.ode._scipy_solver import ScipySolver
from odestudy.ode._settings import Settings
from odestudy.ode._solution import Solution
from odestudy.ode._state import S, V
from odestudy.ode._status import choose
from odestudy.ode._stepper import Stepper
from odestudy.ode._times import make_times
from odestudy.ode._tolerance import make_tolerance
from odestudy.ode.gradients import GRADIENTS

ADJOINT_NORMS = ("mixed", "seminorm")


@overload
def solve(
    f: Callable[[Tensor, Any], Any],
    y0: S,
    t: Tensor | Sequence[float],
    *,
    save: Literal["all", "end"] = "all",
    **settings: Unpack[Settings],
) -> Solution[S]: ...


@overload
def solve(
    f: Callable[[Tensor, Any], Any],
    y0: S,
    t: Tensor | Sequence[float],
    *,
    save: Callable[[Tensor, S], V],
    **settings: Unpack[Settings],
) -> Solution[V]: ...


def solve(
    f: Callable[[Tensor, Any], Any],
    y0: Any,
    t: Tensor | Sequence[float],
    *,
    save: Literal["all", "end"] | Callable[[Tensor, Any], Any] = "all",
    method: Method = "dopri5",
    rtol: float | Tensor | Sequence[Any] = 1e-6,
    atol: float | Tensor | Sequence[Any] = 1e-8,
    dt0: float | None = None,
    grid: Tensor | Sequence[float] | None = None,
    gradient: str = "backprop",
    norm: str | Norm | None = None,
    adjoint_norm: str = "mixed",
    controller: PIDController | None = None,
    dtmin: float = 0.0,
    dtmax: float = float("inf"),
    max_steps: int = 100_000,
    step_t: Sequence[float] = (),
    jump_t: Sequence[float] = (),
    params: Iterable[Tensor] | nn.Module | None = None,
    dense: bool = False,
    event_fn: EventFn | None = None,
    event_direction: Direction = 0,
    options: Mapping[str, Any] | None = None,
    compile: bool | str = False,
    throw: bool = True,
) -> Solution[Any]:
    """Solves dy/dt = f(t, y), y(t[0]) = y0, and returns the states at all of t.

    Args:
        f: callable f(t, y), t a scalar tensor, y like y0; gives dy/dt, shaped like y. It may write its answer to
            the same memory each time, and compute in another type.
        y0: initial state, a tensor of any shape or a tuple of them; floating point, real or complex. Half
            precision is advanced in float32.
        t: times, shape [T], strictly increasing or decreasing; states are returned at each of them.
        save: "all" of these states, shape [T, *y0.shape], or the one at the "end" alone, shape y0.shape; or a
            callable save(t, y), t a scalar tensor, y like y0, whose result, a tensor or a tuple of them, is kept in
            place of each state, shape [T, *result.shape].
        method: a name of METHODS, a tableau (ExplicitTableau, DirkTableau) or a Stepper of one's own.
        rtol: the part of |y| that a step's error may be: a number, a tensor that broadcasts to y0, or one of them
            for each tensor of a tuple. Implicit methods solve their equations to a part of the allowed error.
        atol: what it may be beside that, atol + rtol |y| in all; as rtol.
        dt0: size of the first step, or of all of them where the method has no error estimate.
        grid: times, shape [N], to step onto with no control of the error; from t[0] to t[-1] in any case.
        gradient: how ys are differentiated, a name of GRADIENTS:

            =====================================================  ===========================================
            your problem                                           take
            =====================================================  ===========================================
            its steps fit in memory                                "backprop"
            too many steps for memory                              "checkpointed", the same in more time
            the same, and it contracts by less than ln(1/rtol)     "adjoint", "quadrature": the least memory
            the same, and exact for the steps                      "reversible": contracts less, more time
            stiff, or a long way along an attractor                "backprop" or "checkpointed"
            unstable: it grows                                     the same; else "adjoint" with adjoint_norm
                                                                   "seminorm", or a loss in units of the data
            a handful of parameters                                "backprop"; "forward" to check it
            =====================================================  ===========================================

            It contracts by the rate of its fastest decay times the time. Beyond ln(1/rtol), and on an attractor, what
            solves the state backwards is wrong without a word, or fails: on Van der Pol's cycle the last digits of the
            end state decide which. docs/ode.md has the measurements.
        norm: of the error over the allowed error: "rms", "linf" or a callable on a state; None is rms, for a
            tuple the largest of its tensors'.
        adjoint_norm: "mixed", or "seminorm", which leaves the parameters out (gradient "adjoint").
        controller: choice of the step sizes; None is the method's own.
        dtmin: the smallest adaptive step; one that would have to be smaller ends the solve.
        dtmax: the largest one.
        max_steps: attempted steps after which the solve fails.
        step_t: times, shape [N], to step onto, in any order; those outside of t are left out.
        jump_t: such times at which f may jump; it is asked on either side, and by no step across.
        params: what f depends on, tensors or a module; None takes f's own where it is a module. Gradients
            other than "backprop" need them; tensors that f is seen to use beside them have their gradient too, and
            those that it uses only at times when it is not looked at are refused in backward, but for some that
            Python does not show (docs/ode.md, "f"): name in params what f depends on for a while only.
        dense: whether to keep the solution as a function of time, Solution.interpolant, which needs the memory of
            every step's stages. It has a gradient under "backprop" only, and refuses one in backward otherwise.
        event_fn: callable event_fn(t, y), a number, a tensor or yes and no; the solve ends where an element
            changes its sign, and t says only start and direction of time. ys hold the states at start and
            event, which move with what they depend on.
        event_direction: 1 where only a rising element ends the solve, -1 a falling one, 0 both; or one of
            them for each element.
        options: the method's own, by name: max_order, max_iters (Adams); solver (scipy_solver); jacobian,
            newton_tol (implicit ones); coupling (reversible_rk4, reversible_dopri5).
        compile: whether each step of an explicit Runge-Kutta method is one compiled function, or a mode of
            torch.compile; the first step with a new f or shape takes many seconds.
        throw: whether a failure raises SolveError; otherwise it is the solution's status.

    Returns:
        Solution: ys of shape [T, *y0.shape], or a tuple of such, or what `save` asks for, with counts and status.

    Raises:
        ValueError: an argument is wrong; before f is evaluated.
        SolveError: the solve failed (`throw`), or a gradient's solve did, in backward.
    """
    if controller is not None and not isinstance(controller, PIDController):
        raise ValueError(f"controller must be a PIDController or None, got {controller!r}")
    if event_fn is not None and not callable(event_fn):
        raise ValueError(f"event_fn must be a callable event_fn(t, y) or None, got {event_fn!r}")
    control = Control(
        pid=controller or controller_of(method),
        dt0=None if dt0 is None else number("dt0", dt0),
        dtmin=number("dtmin", dtmin),
        dtmax=number("dtmax", dtmax),
        max_steps=max_steps,
        step_t=finite_times("step_t", step_t),
        jump_t=finite_times("jump_t", jump_t),
    )
    check_save(save)
    problem = make_problem(f, y0, params)
    times = make_times(t, problem.y0)
    choose("gradient", gradient, GRADIENTS)
    choose("adjoint_norm", adjoint_norm, ADJOINT_NORMS)
    adaptive = grid is None and make_stepper(method, options=options).error_power > 0
    stepper = make_stepper(method, not adaptive, options)
    if not adaptive:
        _refuse_ignored(stepper, control, controller, grid)
    at_end = save == "end" and event_fn is None
    if at_end and grid is None and dt0 is None:
        grid = times.values  # fixed steps are to all of t, whatever is kept
    tolerance = make_tolerance(rtol, atol, _norm(norm, problem), problem)
    plan = Plan(
        stepper=with_compilation(stepper, tolerance, compile, gradient, problem.y0.device),
        tolerance=tolerance,
        control=control,
        grid=None if adaptive else _grid(grid, control.dt0),
    )
    run = Run(problem, times.ends() if at_end else times, plan, plan, adjoint_norm)
    if (
        callable(save)
        and gradient == "backprop"
        and event_fn is None
        and not isinstance(stepper, ScipySolver)
    ):
        run.kept = on_flat(save, problem)
    found = with_event_gradient(run, finish(run, gradient, dense, event_fn, event_direction))
    if throw:
        found.raise_on_failure()
    return found if save == "all" or run.kept is not None else reduced(found, save, problem)


def finish(
    run: Run,
    gradient: str,
    dense: bool = False,
    event_fn: EventFn | None = None,
    event_direction: Direction = 0,
) -> Solution:
    """Runs the solve and packs what came out of it."""
    run.refuse_scipy(gradient, dense, event_fn is not None)
    if dense and gradient == "forward":
        raise ValueError("gradient 'forward' has no dense output: take another one, or the times wanted as t")
    with without_autocast(run.problem.y0.device):
        return _finish(run, gradient, dense, event_fn, event_direction)


def _finish(
    run: Run, gradient: str, dense: bool, event_fn: EventFn | None, event_direction: Direction
) -> Solution:
    if event_fn is not None:
        run.event = Event(event_fn, run.problem, run.times.values[0], event_direction)
    recorder = Recorder()
    if dense:
        run.observers = (*run.observers, recorder)
    found = GRADIENTS[gradient](run)
    ys: Any = found if run.kept is not None else run.problem.restore(found)
    failed, event = run.failure, run.event
    return Solution(
        ts=run.times.tensor,
        ys=ys,
        tally=run.stats,
        status="ok" if failed is None else failed.status,
        message="" if failed is None else failed.message,
        interpolant=_interpolant(run, recorder, gradient) if dense else None,
        event_t=None if event is None or event.t is None else run.times.tensor[-1].detach(),
        event_index=None if event is None else event.index,
    )


def with_event_gradient(run: Run, solution: Solution) -> Solution:
    """The solution whose event time, and state there, are functions of each other's causes."""
    if run.event is None or solution.event_t is None or not torch.is_grad_enabled():
        return solution
    ys = run.problem.layout.flatten(solution.ys, leading=1)
    with without_autocast(ys.device):
        event_t, end = rerouted(run.problem, run.event, solution.event_t, ys[-1])
    return replace(solution, event_t=event_t, ys=run.problem.restore(torch.stack([ys[0], end])))


def _interpolant(run: Run, recorder: Recorder, gradient: str) -> Interpolant:
    event, causes = None if run.event is None else run.event.t, ()  # type: float | None, tuple[Tensor, ...]
    if gradient != "backprop" and torch.is_grad_enabled():
        causes = (run.problem.y0, run.times.tensor, *run.sources)
    return Interpolant(run.plan.stepper, recorder, run.problem, run.times.values[0], event, causes)


def _refuse_ignored(stepper: Stepper, control: Control, controller: PIDController | None, grid: Any) -> None:
    """Raises ValueError for what only adaptive steps, or scipy's own, take notice of."""
    scipys = isinstance(stepper, ScipySolver)
    given = {
        "controller": controller is not None,
        "step_t": control.step_t != (),
        "jump_t": control.jump_t != (),
        "dtmin": control.dtmin > 0 and not scipys,
        "dtmax": control.dtmax < float("inf") and not scipys,
        "grid": grid is not None and scipys,
    }
    ignored = [name for name, there in given.items() if there]
    if ignored:
        kind = "scipy's solvers" if scipys else "fixed steps"
        raise ValueError(
            f"{kind} take no {', '.join(ignored)}: leave them out, or take an adaptive method of ours without "
            "grid (a grid may hold the times to step onto)"
        )
    if grid is not None and control.dt0 is not None:
        raise ValueError(f"dt0 {control.dt0} and grid exclude each other; give one of them")


def _grid(grid: Tensor | Sequence[float] | None, dt0: float | None) -> Grid:
    if grid is not None:
        return explicit(finite_times("grid", grid))
    return ON_TIMES if dt0 is None else uniform(dt0)


def _norm(norm: str | Norm | None, problem: Problem) -> Norm:
    """A norm on the flat state; a callable sees the state as the caller gave it."""
    if isinstance(norm, str):
        choose("norm", norm, NORMS)
        return NORMS[norm]
    if norm is None:
        return rms if problem.shapes is None else mixed(problem.shapes)
    check_norm(norm)
    return norm if problem.layout.plain else lambda r: norm(problem.restore(r, leading=0))  # type: ignore[arg-type]  # a norm of a flat tensor
