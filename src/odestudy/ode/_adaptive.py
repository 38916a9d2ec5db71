"""The adaptive loop: step, accept or reject, record, next dt."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._accepted import Accepted
from odestudy.ode._control import Control, Counter
from odestudy.ode._controller import SMALLEST_RATIO, initial_step
from odestudy.ode._diagnosis import blame, details, diagnose, no_start, unsolved
from odestudy.ode._hooks import NO_HOOKS, Hooks
from odestudy.ode._norms import linf
from odestudy.ode._observer import Observer
from odestudy.ode._span import Span
from odestudy.ode._status import Failure
from odestudy.ode._step import VectorField
from odestudy.ode._stepper import Stepper, StepResult
from odestudy.ode._tolerance import Tolerance

STRETCH = 1.01  # a step that would leave less than 1 % of itself to the end takes it all (dopri5.f)
SAMPLE_EVERY = 8  # accepted steps between two estimates of the stiffness


@dataclass
class LoopState:
    """Where an adaptive solve stands; it outlives a segment, so that the next one starts with this dt."""

    t: float
    y: Tensor
    solver_state: Any = None
    dt: float | None = None
    previous: tuple[float, float] = (1.0, 1.0)
    jumped: bool = False


class AdaptiveLoop:
    """Drives an adaptive stepper; `offset` is a zero that carries the gradient of the first time, or None.

    `observed` are the observation times, at each of which the budget of steps begins anew if control says so.
    """

    def __init__(
        self,
        stepper: Stepper,
        tolerance: Tolerance,
        control: Control,
        counter: Counter,
        offset: Tensor | None = None,
        hooks: Hooks = NO_HOOKS,
        observed: tuple[float, ...] = (),
    ) -> None:
        self.stepper, self.tolerance, self.control = stepper, tolerance, control
        self.counter, self.offset, self.hooks = counter, offset, hooks
        self.budget = control.max_steps
        self.observed = list(observed[1:]) if control.max_steps_each else []
        self.reaches = max(stepper.nodes, default=0.0) > 1  # beyond a step's end
        self.samples: list[Tensor] = []  # of the stiffness, read together at the end: the host waits once

    def run(self, f: VectorField, now: LoopState, t_end: float, observer: Observer) -> Failure | None:
        """Moves `now` to t_end, or to where the observer or a failure ends the solve."""
        failure = self._run(f, now, t_end, observer)
        if self.samples:
            self.counter.stiffness(torch.stack(self.samples).tolist())
        return failure

    def _run(self, f: VectorField, now: LoopState, t_end: float, observer: Observer) -> Failure | None:
        stops = self.control.stops(now.t, t_end)
        if not self._start(f, now, t_end):
            return no_start(now.t, now.y)
        growth, ratio, dt = True, 0.0, math.nan
        attempt: StepResult | None = None
        while now.t != t_end:
            t1, dt, clipped = self._aim(now, stops[0])
            if math.isinf(t1):
                break  # an event that never comes was waited for until the times ran out
            if not clipped and abs(dt) < 4 * math.ulp(now.t):
                return self._fail("step_size_underflow", now, dt, ratio, attempt)
            if self.budget == 0:
                return self._fail("max_steps", now, dt, ratio, attempt)
            self.budget -= 1
            span = self._span(now, dt, clipped, stops)
            self.hooks.step(now.t, now.y, dt)
            attempt = self.stepper.step(f, span, now.y, now.solver_state)
            ratio = self._ratio(dt, now.y, attempt)
            accepted = ratio <= 1.0 or (self._at_dtmin(dt) and self.control.force_dtmin and ratio < math.inf)
            self.counter.step(accepted)
            self.counter.linear_algebra(attempt)
            self._next_dt(now, dt, ratio, growth and accepted, clipped and accepted)
            growth = accepted
            if not accepted:
                self.hooks.reject(now.t, now.y, dt)
                now.solver_state = attempt.retry
                if self._at_dtmin(dt) or now.dt == dt:  # the next attempt would be this one again
                    return self._fail("step_size_underflow", now, dt, ratio, attempt)
                continue
            self.hooks.accept(now.t, now.y, dt)
            if self._accept(f, now, span, t1, attempt, observer):
                return None
            if clipped:
                stops.pop(0)
        self._sample(attempt, final=True)
        return None

    def _start(self, f: VectorField, now: LoopState, t_end: float) -> bool:
        """The first slope, and the first dt where none was carried over; False where they are not finite."""
        if now.t == t_end:
            return True
        direction = 1.0 if t_end > now.t else -1.0
        span = Span(self._time(now.t), 0.0, now.y)
        if now.solver_state is None:
            now.solver_state = f(span.times((0.0,))[0], now.y)
        if now.dt is None and not math.isfinite(linf(torch.stack([now.y, now.solver_state]).detach())):
            return False
        if now.dt is None and self.control.dt0 is not None:
            now.dt = abs(self.control.dt0)
        if now.dt is None:
            time = span.times((0.0,))[0].detach()
            now.dt = initial_step(
                f, time, now.y, now.solver_state, t_end - now.t, self.stepper.error_power, self.tolerance
            )
        now.dt = math.copysign(now.dt, direction)
        return True

    def _time(self, t: float) -> float | Tensor:
        return t if self.offset is None else self.offset + t

    def _span(self, now: LoopState, dt: float, clipped: bool, stops: list[float]) -> Span:
        """The step; f is not asked beyond the next jump, nor beyond the end."""
        jumps = self.control.jump_t
        limit = None
        if clipped or self.reaches:
            limit = next(stop for stop in stops if stop in jumps or stop == stops[-1])
        before = clipped and stops[0] in jumps
        return Span(self._time(now.t), dt, now.y, after=now.jumped, before=before, limit=limit)

    def _aim(self, now: LoopState, stop: float) -> tuple[float, float, bool]:
        """(t1, dt, clipped): the wanted step within its limits, or the one that ends on the next stop."""
        assert now.dt is not None, "an adaptive loop has a step"
        size = min(max(abs(now.dt), self.control.dtmin), self.control.dtmax)
        left = stop - now.t
        if size * STRETCH >= abs(left):
            return stop, left, True
        dt = math.copysign(size, left)
        return now.t + dt, dt, False

    def _at_dtmin(self, dt: float) -> bool:
        return abs(dt) <= self.control.dtmin * STRETCH  # a last step may be that much longer

    def _ratio(self, dt: float, y: Tensor, attempt: StepResult) -> float:
        """The step's error ratio: the one number for which the host waits."""
        if attempt.status is not None:
            return math.inf
        if attempt.ratio is not None:
            return float(attempt.ratio)
        with torch.no_grad():
            return float(self.tolerance.ratio(self.stepper.errors(dt, attempt), y, attempt.y1))

    def _next_dt(self, now: LoopState, dt: float, ratio: float, growth: bool, clipped: bool) -> None:
        factor = self.control.pid.factor(ratio, now.previous, self.stepper.error_power, growth)
        wanted = dt * factor
        if clipped and now.dt is not None and abs(now.dt) > abs(wanted):
            wanted = now.dt  # the stop made this step short, not its error
        now.dt = wanted
        if ratio <= 1.0:
            now.previous = (max(ratio, SMALLEST_RATIO), now.previous[0])

    def _accept(
        self, f: VectorField, now: LoopState, span: Span, t1: float, attempt: StepResult, observer: Observer
    ) -> bool:
        """Records the step and moves `now`; True where the observer ends the solve."""
        self._sample(attempt)
        self.counter.method(attempt.method)
        done = observer.accept(Accepted(f, self.stepper, span, now.t, t1, now.y, attempt))
        now.t, now.y, now.solver_state, now.jumped = t1, attempt.y1, attempt.solver_state, span.before
        if now.jumped:
            now.solver_state = None
        while self._passed(t1, float(span.dt)):
            self.observed.pop(0)
            self.budget = self.control.max_steps
        return done

    def _passed(self, t1: float, dt: float) -> bool:
        """Whether t1 is at the next observation, or beyond it."""
        return bool(self.observed) and math.copysign(1.0, dt) * (self.observed[0] - t1) <= 0

    def _sample(self, attempt: StepResult | None, final: bool = False) -> None:
        """An estimate of h |lambda| now and then, and of the last step where there was none."""
        stats = self.counter.stats
        due = stats.accepted % SAMPLE_EVERY == 0 or (
            final and not self.samples and math.isnan(stats.stiffness)
        )
        if not due or self.counter.backward or attempt is None:
            return
        with torch.no_grad():
            stiffness = self.stepper.stiffness(attempt)
            if stiffness is not None:
                self.samples.append(stiffness)

    @torch.no_grad()
    def _fail(
        self, status: Any, now: LoopState, dt: float, ratio: float, attempt: StepResult | None
    ) -> Failure:
        if attempt is not None and attempt.status is not None:
            return unsolved(attempt.status, now.t, dt, now.y)
        found = None if attempt is None else self.stepper.stiffness(attempt)
        stiffness = 0.0 if found is None else float(found)
        blamed = "the state"
        if attempt is not None:
            errors = self.stepper.errors(dt, attempt)
            blamed = blame(self.tolerance, errors[0], now.y, attempt.y1)
        return diagnose(
            status, now.t, dt, ratio, max(stiffness, 0.0), blamed, now.y, details(status, self.control),
            self.counter.backward,
        )  # fmt: skip
