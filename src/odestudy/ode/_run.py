"""One solve under way: what the gradients read, and where they leave their results."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._control import Counter
from odestudy.ode._counted import Counted
from odestudy.ode._event import Event
from odestudy.ode._guard import Guard
from odestudy.ode._layout import unflatten
from odestudy.ode._norms import MixedNorm, Norm
from odestudy.ode._observer import Observer
from odestudy.ode._plan import Plan
from odestudy.ode._problem import Problem, needed
from odestudy.ode._scipy_solver import REFUSAL, ScipySolver
from odestudy.ode._solution import Stats
from odestudy.ode._sources import Sources
from odestudy.ode._state import State
from odestudy.ode._status import Failure
from odestudy.ode._step import VectorField
from odestudy.ode._times import Times
from odestudy.ode._uses import Uses


@dataclass
class Run:
    """Problem, times and plans of one solve; `failure` is set by the gradient that runs it.

    `backward_plan` drives the adjoint's solve back; `seminorm` leaves its parameters out of the error norm.
    """

    problem: Problem
    times: Times
    plan: Plan
    backward_plan: Plan
    adjoint_norm: str | Callable[..., Tensor] = "mixed"
    stats: Stats = field(default_factory=Stats)
    failure: Failure | None = None
    observers: tuple[Observer, ...] = ()
    event: Event | None = None
    kept: Callable[[float, Tensor], Any] | None = None  # in place of each state, under "backprop"
    sources: tuple[Tensor, ...] = ()  # what a gradient is wanted of beside the state
    generators: tuple[torch.Generator, ...] = ()  # f's own

    def field(self, uses: Uses | None = None, always: bool = False) -> VectorField:
        """f with its forward evaluations counted, its first output checked; `uses` looks on, now and then or `always`."""
        return Counted(self.problem.f, Counter(self.stats), Guard(uses, always=always))

    def no_event(self, horizon: float, y: Tensor) -> Failure:
        """The failure of a solve that met no event and ended at `y`."""
        t0, lost = self.times.values[0], None if self.event is None else self.event.lost
        if lost is not None:
            return Failure("non_finite", f"the state or event_fn is not finite at t = {lost:.9g}")
        if not bool(torch.isfinite(y).all()):
            return Failure("non_finite", f"the state left the finite numbers before t = {horizon:.9g}")
        return Failure("max_steps", f"no event between t = {t0:.9g} and t = {horizon:.9g}")

    def refuse_scipy(self, gradient: str, dense: bool, event: bool) -> None:
        """Raises ValueError where scipy's solvers cannot give a gradient so, dense output or an event.

        Under "backprop" they solve, and refuse in backward only."""
        if not isinstance(self.plan.stepper, ScipySolver):
            return
        if dense or event or gradient not in ("adjoint", "backprop"):
            raise ValueError(REFUSAL)

    def restore_one(self, y: Tensor) -> State:
        """One state as the caller gave it."""
        return self.problem.restore(y, leading=0)

    def made_sources(self) -> Sources:
        """f and its sources, as one backward pass differentiates them."""
        return Sources(self.problem.f, self.sources, complete=not self.problem.closed)

    def needed_params(self) -> tuple[Tensor, ...]:
        """The parameters; raises ValueError where they are neither given nor found."""
        return needed(self.problem.params)


def check_finite(run: Run, ys: Any, end: Tensor) -> None:
    """Marks a fixed-step solve that left the finite numbers (adaptive ones notice step by step).

    While a CUDA graph is captured there are no numbers to look at; of a solve whose states are not kept only the
    last one is looked at.
    """
    capturing = end.is_cuda and torch.cuda.is_current_stream_capturing()
    if run.failure is not None or run.plan.grid is None or capturing:
        return
    ys = ys if run.kept is None else end.expand(len(run.times.values), *end.shape)
    with torch.no_grad():
        good = torch.isfinite(ys.reshape(len(ys), -1)).all(1)
        if bool(good.all()):
            return
        first = int((~good).int().argmax())
    when = run.times.values[min(first, len(run.times.values) - 1)]
    before = run.times.values[max(first - 1, 0)]
    run.failure = Failure(
        "non_finite",
        f"the state is not finite at t = {when:.9g} (it was at t = {before:.9g}, {run.plan.stepper.name} "
        "with fixed steps). Try: smaller steps, or an adaptive method, which says where and why.",
    )


def state_norms(run: Run, params: tuple[Tensor, ...]) -> Norm:
    """The adjoint's error norm over its flat state (y, a, parameters...)."""
    n, shape, inner = run.problem.y0.numel(), run.problem.y0.shape, run.plan.tolerance.norm
    sizes = (n, n, *(p.numel() for p in params))
    if callable(run.adjoint_norm):
        return _callers_norm(run, run.adjoint_norm, (shape, shape, *(p.shape for p in params)))

    def norm(r: Tensor) -> Tensor:
        return inner(r.reshape(shape))

    return MixedNorm(
        sizes,
        ("the state", "the adjoint", *(f"the adjoint's parameters[{i}]" for i in range(len(params)))),
        counted=2 if run.adjoint_norm == "seminorm" else None,
        norms={0: norm, 1: norm},
    )


def _parts(state: State) -> tuple[Tensor, ...]:
    return (state,) if isinstance(state, Tensor) else state


def _callers_norm(run: Run, norm: Callable[..., Tensor], parts: tuple[torch.Size, ...]) -> Norm:
    """torchdiffeq's convention: the norm sees (t, y, a, *parameters), tuple states tensor by tensor."""

    def flat_norm(r: Tensor) -> Tensor:
        y, a, *rest = unflatten(r, parts)
        states = [_parts(run.restore_one(x)) for x in (y, a)]
        return norm((r.new_zeros(()), *(x for state in states for x in state), *rest))

    return flat_norm
