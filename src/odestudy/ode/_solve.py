"""The first layer: one initial value problem, solved with everything explicit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from odestudy.ode._control import Control
from odestudy.ode._controller import PIDController
from odestudy.ode._dense import Interpolant, Recorder
from odestudy.ode._event import Event, EventFn
from odestudy.ode._grid import ON_TIMES, Grid, explicit, uniform
from odestudy.ode._methods import make_stepper
from odestudy.ode._norms import NORMS, Norm, mixed, rms
from odestudy.ode._plan import Plan
from odestudy.ode._problem import Problem, make_problem, unflatten
from odestudy.ode._run import Run
from odestudy.ode._solution import Solution, State
from odestudy.ode._status import choose
from odestudy.ode._tableau import ExplicitTableau
from odestudy.ode._times import make_times
from odestudy.ode._tolerance import make_tolerance
from odestudy.ode.gradients import GRADIENTS

ADJOINT_NORMS = ("mixed", "seminorm")


def solve(
    f: Callable[[Tensor, Any], Any],
    y0: State,
    t: Tensor | Sequence[float],
    *,
    method: str | ExplicitTableau = "dopri5",
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
    options: Mapping[str, Any] | None = None,
) -> Solution:
    """Solves dy/dt = f(t, y), y(t[0]) = y0, and returns the states at all of t, shape [len(t), *y0.shape].

    y0 is a tensor of any shape or a tuple of them; t, strictly monotonic, may decrease. Embedded pairs adapt
    their step to rtol and atol (dt0: the first step) unless `grid` gives the steps; the others take steps
    of dt0, or from one time to the next. `dense` adds the solution as a function of time; with `event_fn` the
    solve ends where an element of event_fn(t, y) changes its sign, and t says only start and direction;
    `options` are the method's own (max_order, max_iters; solver).

    Numerical failures are the solution's status; wrong arguments raise ValueError before f is evaluated; a
    failing backward solve raises SolveError in backward.
    """
    problem = make_problem(f, y0, params)
    times = make_times(t, problem.y0)
    choose("gradient", gradient, GRADIENTS)  # type: ignore[arg-type]
    choose("adjoint_norm", adjoint_norm, ADJOINT_NORMS)
    control = Control(
        pid=controller or PIDController(),
        dt0=dt0,
        dtmin=dtmin,
        dtmax=dtmax,
        max_steps=max_steps,
        step_t=tuple(float(s) for s in step_t),
        jump_t=tuple(float(s) for s in jump_t),
    )
    adaptive = grid is None and make_stepper(method, options=options).error_power > 0
    plan = Plan(
        stepper=make_stepper(method, not adaptive, options),
        tolerance=make_tolerance(rtol, atol, _norm(norm, problem), problem),
        control=control,
        grid=None if adaptive else _grid(grid, dt0),
    )
    return finish(Run(problem, times, plan, plan, adjoint_norm), gradient, dense, event_fn)


def finish(run: Run, gradient: str, dense: bool = False, event_fn: EventFn | None = None) -> Solution:
    """Runs the solve and packs what came out of it."""
    run.refuse_scipy(gradient, dense, event_fn is not None)
    if event_fn is not None:
        run.event = Event(event_fn, run.problem, run.times.values[0])
    recorder = Recorder()
    if dense:
        run.observers = (*run.observers, recorder)
    ys = run.problem.restore(GRADIENTS[gradient](run))
    failed, event = run.failure, run.event
    return Solution(
        ts=run.times.tensor,
        ys=ys,
        stats=run.stats,
        status="ok" if failed is None else failed.status,
        message="" if failed is None else failed.message,
        interpolant=Interpolant(run.plan.stepper, recorder, run.problem) if dense else None,
        event_t=None if event is None or event.t is None else run.times.tensor[-1].detach(),
    )


def _grid(grid: Tensor | Sequence[float] | None, dt0: float | None) -> Grid:
    if grid is not None:
        return explicit([float(g) for g in grid])
    return ON_TIMES if dt0 is None else uniform(dt0)


def _norm(norm: str | Norm | None, problem: Problem) -> Norm:
    """A norm on the flat state; a callable sees the state as the caller gave it."""
    if isinstance(norm, str):
        choose("norm", norm, NORMS)  # type: ignore[arg-type]
        return NORMS[norm]
    if norm is None:
        return rms if problem.shapes is None else mixed(problem.shapes)
    shapes = problem.shapes
    return norm if shapes is None else lambda r: norm(unflatten(r, shapes))  # type: ignore[arg-type]
