"""The first layer: one initial value problem, solved with everything explicit."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from torch import Tensor, nn

from odestudy.ode._control import Control
from odestudy.ode._controller import PIDController
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
) -> Solution:
    """Solves dy/dt = f(t, y), y(t[0]) = y0, and returns the states at all of t, shape [len(t), *y0.shape].

    y0 is a tensor of any shape or a tuple of them; t, strictly monotonic, may decrease. Embedded pairs adapt
    their step to rtol and atol (dt0: the first step) unless `grid` gives the steps; the others take steps
    of dt0, or from one time to the next. Numerical failures are the solution's status; wrong arguments raise
    ValueError before f is evaluated; a failing backward solve raises SolveError in backward.
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
    adaptive = make_stepper(method, fixed=False).error_power > 0 and grid is None
    plan = Plan(
        stepper=make_stepper(method, fixed=not adaptive),
        tolerance=make_tolerance(rtol, atol, _norm(norm, problem), problem),
        control=control,
        grid=None if adaptive else _grid(grid, dt0),
    )
    run = Run(problem, times, plan, plan, adjoint_norm)
    return finish(run, gradient)


def finish(run: Run, gradient: str) -> Solution:
    """Runs the solve and packs what came out of it."""
    ys = run.problem.restore(GRADIENTS[gradient](run))
    failed = run.failure
    return Solution(
        ts=run.times.tensor,
        ys=ys,
        stats=run.stats,
        status="ok" if failed is None else failed.status,
        message="" if failed is None else failed.message,
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
