"""Back-propagation through the solver's own operations: the exact gradient of the discrete solution."""

import torch
from torch import Tensor

from odestudy.ode._control import Counter
from odestudy.ode._grid import ON_TIMES
from odestudy.ode._observer import Observations, Observer, Several
from odestudy.ode._reach import reachable
from odestudy.ode._refusal import without_derivative
from odestudy.ode._run import Run, check_finite
from odestudy.ode._save import Saved
from odestudy.ode._scipy_solver import REFUSAL, ScipySolver
from odestudy.ode._step import VectorField
from odestudy.ode._uses import Uses


def backprop(run: Run) -> Tensor:
    """Memory grows with steps times stages; needs no parameters (Chen et al. 2018 call it RK-Net)."""
    if isinstance(run.plan.stepper, ScipySolver):
        return _apart_from_autograd(run)
    return forward(run)


def _apart_from_autograd(run: Run) -> Tensor:
    """scipy's states, which refuse a gradient where one is asked for."""
    t, uses = run.times.tensor, Uses() if torch.is_grad_enabled() else None
    with torch.no_grad():
        ys = forward(run, run.field(uses, always=bool(reachable(run.problem.f))))
    causes = () if uses is None else tuple(uses.found.values())
    return without_derivative(ys, REFUSAL, run.problem.y0, t, *(run.problem.params or ()), *causes)


def solve_apart(run: Run, *also: Observer) -> tuple[Tensor, tuple[Tensor, ...]]:
    """States without a graph, and what a gradient is to be had for: f's parameters, and all else that it uses.

    Raises ValueError where the parameters are neither given nor found.
    """
    params = run.needed_params()
    uses = Uses(params) if torch.is_grad_enabled() else None
    with torch.no_grad():
        y0 = run.problem.y0.detach()  # another tensor than the caller's, which f may use itself
        ys = forward(run, run.field(uses), y0, *also)
    if uses is not None:
        run.generators = tuple(uses.generators.values())
    run.sources = params if uses is None or run.problem.closed else (*params, *uses.found.values())
    return ys, run.sources


def forward(run: Run, f: VectorField | None = None, y0: Tensor | None = None, *also: Observer) -> Tensor:
    """States at the observation times, shape [len(t), *y0.shape], under the caller's gradient mode.

    With an event, the states at the start and at the event, whose time becomes the last observation.
    """
    f, y0 = f or run.field(), run.problem.y0 if y0 is None else y0
    if run.event is not None:
        return _forward_to_event(run, f, y0, *also)
    times = run.times
    offsets = times.offsets if torch.is_grad_enabled() else None  # an adjoint has its own way to dL/dt
    aligned, end = run.plan.grid is ON_TIMES, y0
    seen = Observations(times.values, offsets, aligned)
    if run.kept is not None:
        seen = Saved(run.kept, times.values, offsets, aligned)
    seen.start(y0)
    if len(times.values) > 1:
        observer = Several((seen, *run.observers, *also))
        counter = Counter(run.stats)
        now, run.failure = run.plan.integrate(f, y0, times.values, observer, counter, offsets)
        end = now.y
    ys = seen.states()
    check_finite(run, ys, end)
    return ys


def _forward_to_event(run: Run, f: VectorField, y0: Tensor, *also: Observer) -> Tensor:
    event = run.event
    assert event is not None, "called for an event only"
    t0, horizon = run.times.values[0], run.plan.horizon(run.times.values)
    observer = Several((*run.observers, *also, event))
    now, run.failure = run.plan.integrate(
        f, y0, (t0, horizon), observer, Counter(run.stats), run.times.start_offsets()
    )
    if event.t is None or event.y is None:
        run.failure = run.failure or run.no_event(horizon, now.y)
        return torch.stack([y0, torch.full_like(y0, torch.nan)])
    run.times = run.times.ending_at(event.t)
    return torch.stack([y0, event.y])
