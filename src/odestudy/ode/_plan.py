"""How to integrate: the method with its steps, one thing for all gradients to call."""

import math
from dataclasses import dataclass, field, replace

from torch import Tensor

from odestudy.ode._adaptive import AdaptiveLoop, LoopState
from odestudy.ode._auto import Auto
from odestudy.ode._control import Control, Counter
from odestudy.ode._dirk import Dirk
from odestudy.ode._fixed import FixedLoop
from odestudy.ode._grid import Grid
from odestudy.ode._hooks import NO_HOOKS, Hooks
from odestudy.ode._interp import Linear
from odestudy.ode._observer import Observer
from odestudy.ode._scipy_solver import ScipySolver
from odestudy.ode._status import Failure
from odestudy.ode._step import VectorField
from odestudy.ode._stepper import Stepper
from odestudy.ode._tolerance import Tolerance

EVENT_STEPS = 20_000  # fixed steps after which a solve stops waiting for its event (as torchdiffeq)


@dataclass(frozen=True)
class Plan:
    """A stepper, adaptive where `grid` is None, with everything that steers it."""

    stepper: Stepper
    tolerance: Tolerance
    control: Control = field(default_factory=Control)
    grid: Grid | None = None
    perturb: bool = False
    hooks: Hooks = NO_HOOKS

    def __post_init__(self) -> None:
        object.__setattr__(self, "stepper", within(self.stepper, self.tolerance, self.grid is not None))

    def integrate(
        self,
        f: VectorField,
        y: Tensor,
        times: tuple[float, ...],
        observer: Observer,
        counter: Counter,
        offsets: Tensor | None = None,
        previous: LoopState | None = None,
    ) -> tuple[LoopState, Failure | None]:
        """From times[0] to times[-1]; `previous` hands on the step size of an earlier segment."""
        now = LoopState(times[0], y)
        if isinstance(self.stepper, ScipySolver):
            now.y, failed = self.stepper.run(f, y, times, observer, counter, self.tolerance, self.control)
            return now, failed
        if self.grid is None:
            if previous is not None:
                now.dt, now.previous = previous.dt, previous.previous
            offset = None if offsets is None else offsets[0]
            loop = AdaptiveLoop(
                self.stepper, self.tolerance, self.control, counter, offset, self.hooks, times
            )
            return now, loop.run(f, now, times[-1], observer)
        points, most = self.grid.points(times), self.control.max_steps
        moved = self.grid.offsets(points, times, offsets)
        fixed = FixedLoop(self.stepper, counter, self.hooks, self.perturb)
        now.t, now.y, ended = fixed.run(f, y, points[: most + 1], observer, moved)
        if fixed.failure is not None:
            return now, fixed.failure
        if ended or len(points) - 1 <= most:
            return now, None
        return now, Failure(
            "max_steps",
            f"{most} steps were not enough: the grid from t = {times[0]:.9g} to t = {times[-1]:.9g} has "
            f"{len(points) - 1}. Try: a larger max_steps, or longer steps.",
        )

    def horizon(self, times: tuple[float, ...]) -> float:
        """How far a solve that waits for an event may go, in the direction of `times`.

        Raises ValueError where the steps are fixed but no step size says how long.
        """
        sign = 1.0 if len(times) < 2 or times[1] > times[0] else -1.0
        if self.grid is None:
            return sign * math.inf
        if self.control.dt0 is None:
            raise ValueError("with fixed steps an event needs a step size: dt0, or step_size in options")
        return times[0] + sign * EVENT_STEPS * abs(self.control.dt0)


def within(stepper: Stepper, tolerance: Tolerance, fixed: bool) -> Stepper:
    """The stepper, told to which tolerance it must solve its equations, if it has any."""
    if isinstance(stepper, Linear):
        return type(stepper)(within(stepper.inner, tolerance, fixed))
    if isinstance(stepper, Auto):
        return replace(stepper, implicit=within(stepper.implicit, tolerance, fixed))
    return stepper.within(tolerance, fixed) if isinstance(stepper, Dirk) else stepper
