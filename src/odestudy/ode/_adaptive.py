"""The adaptive loop: step, accept or reject, record, next dt."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._control import Control, Counter
from odestudy.ode._controller import SMALLEST_RATIO, initial_step
from odestudy.ode._diagnosis import blame, details, diagnose, no_start, unsolved
from odestudy.ode._hooks import NO_HOOKS, Hooks
from odestudy.ode._norms import linf
from odestudy.ode._observer import Observer
from odestudy.ode._span import Span
from odestudy.ode._status import Failure
from odestudy.ode._step import Field
from odestudy.ode._stepper import Attempt, Stepper
from odestudy.ode._tolerance import Tolerance

STRETCH = 1.01  # a step that would leave less than 1 % of itself to the end takes it all (dopri5.f)
SAMPLE_EVERY = 8  # accepted steps between two estimates of the stiffness


@dataclass
class Cursor:
    """Where an adaptive solve stands; it outlives a segment, so that the next one starts with this dt."""

    t: float
    y: Tensor
    carry: Any = None
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
        self.samples: list[Tensor] = []  # of the stiffness, read together at the end: the host waits once

    def run(self, f: Field, cursor: Cursor, t_end: float, observer: Observer) -> Failure | None:
        """Moves the cursor to t_end, or to where the observer or a failure ends the solve."""
        failure = self._run(f, cursor, t_end, observer)
        if self.samples:
            self.counter.stiffness(torch.stack(self.samples).tolist())
        return failure

    def _run(self, f: Field, cursor: Cursor, t_end: float, observer: Observer) -> Failure | None:
        stops = self.control.stops(cursor.t, t_end)
        if not self._start(f, cursor, t_end):
            return no_start(cursor.t, cursor.y)
        growth, ratio, dt = True, 0.0, math.nan
        attempt: Attempt | None = None
        while cursor.t != t_end:
            t1, dt, clipped = self._aim(cursor, stops[0])
            if math.isinf(t1):
                break  # an event that never comes was waited for until the times ran out
            if not clipped and abs(dt) < 4 * math.ulp(cursor.t):
                return self._fail("step_size_underflow", cursor, dt, ratio, attempt)
            if self.budget == 0:
                return self._fail("max_steps", cursor, dt, ratio, attempt)
            self.budget -= 1
            span = self._span(cursor, dt, before=clipped and t1 in self.control.jump_t)
            self.hooks.step(cursor.t, cursor.y, dt)
            attempt = self.stepper.step(f, span, cursor.y, cursor.carry)
            ratio = self._ratio(dt, cursor.y, attempt)
            accepted = ratio <= 1.0 or (self._at_dtmin(dt) and self.control.force_dtmin and ratio < math.inf)
            self.counter.step(accepted)
            self.counter.linear_algebra(attempt)
            self._next_dt(cursor, dt, ratio, growth and accepted, clipped and accepted)
            growth = accepted
            if not accepted:
                self.hooks.reject(cursor.t, cursor.y, dt)
                cursor.carry = attempt.retry
                if self._at_dtmin(dt) or cursor.dt == dt:  # the next attempt would be this one again
                    return self._fail("step_size_underflow", cursor, dt, ratio, attempt)
                continue
            self.hooks.accept(cursor.t, cursor.y, dt)
            if self._accept(f, cursor, span, t1, attempt, observer):
                return None
            if clipped:
                stops.pop(0)
        self._sample(attempt, final=True)
        return None

    def _start(self, f: Field, cursor: Cursor, t_end: float) -> bool:
        """The first slope, and the first dt where none was carried over; False where they are not finite."""
        if cursor.t == t_end:
            return True
        direction = 1.0 if t_end > cursor.t else -1.0
        span = Span(self._time(cursor.t), 0.0, cursor.y)
        if cursor.carry is None:
            cursor.carry = f(span.times((0.0,))[0], cursor.y)
        if cursor.dt is None and not math.isfinite(linf(torch.stack([cursor.y, cursor.carry]).detach())):
            return False
        if cursor.dt is None and self.control.dt0 is not None:
            cursor.dt = abs(self.control.dt0)
        if cursor.dt is None:
            time = span.times((0.0,))[0].detach()
            cursor.dt = initial_step(
                f, time, cursor.y, cursor.carry, t_end - cursor.t, self.stepper.error_power, self.tolerance
            )
        cursor.dt = math.copysign(cursor.dt, direction)
        return True

    def _time(self, t: float) -> float | Tensor:
        return t if self.offset is None else self.offset + t

    def _span(self, cursor: Cursor, dt: float, before: bool) -> Span:
        return Span(self._time(cursor.t), dt, cursor.y, after=cursor.jumped, before=before)

    def _aim(self, cursor: Cursor, stop: float) -> tuple[float, float, bool]:
        """(t1, dt, clipped): the wanted step within its limits, or the one that ends on the next stop."""
        assert cursor.dt is not None
        size = min(max(abs(cursor.dt), self.control.dtmin), self.control.dtmax)
        left = stop - cursor.t
        if size * STRETCH >= abs(left):
            return stop, left, True
        dt = math.copysign(size, left)
        return cursor.t + dt, dt, False

    def _at_dtmin(self, dt: float) -> bool:
        return abs(dt) <= self.control.dtmin * STRETCH  # a last step may be that much longer

    def _ratio(self, dt: float, y: Tensor, attempt: Attempt) -> float:
        """The step's error ratio: the one number for which the host waits."""
        if attempt.trouble is not None:
            return math.inf
        if attempt.ratio is not None:
            return float(attempt.ratio)
        with torch.no_grad():
            return float(self.tolerance.ratio(self.stepper.errors(dt, attempt), y, attempt.y1))

    def _next_dt(self, cursor: Cursor, dt: float, ratio: float, growth: bool, clipped: bool) -> None:
        factor = self.control.pid.factor(ratio, cursor.previous, self.stepper.error_power, growth)
        wanted = dt * factor
        if clipped and cursor.dt is not None and abs(cursor.dt) > abs(wanted):
            wanted = cursor.dt  # the stop made this step short, not its error
        cursor.dt = wanted
        if ratio <= 1.0:
            cursor.previous = (max(ratio, SMALLEST_RATIO), cursor.previous[0])

    def _accept(
        self, f: Field, cursor: Cursor, span: Span, t1: float, attempt: Attempt, observer: Observer
    ) -> bool:
        """Records the step and moves the cursor; True where the observer ends the solve."""
        self._sample(attempt)
        self.counter.method(attempt.method)
        done = observer.accept(f, self.stepper, span, cursor.t, t1, cursor.y, attempt)
        cursor.t, cursor.y, cursor.carry, cursor.jumped = t1, attempt.y1, attempt.carry, span.before
        if cursor.jumped:
            cursor.carry = None
        while self._passed(t1, float(span.dt)):
            self.observed.pop(0)
            self.budget = self.control.max_steps
        return done

    def _passed(self, t1: float, dt: float) -> bool:
        """Whether t1 is at the next observation, or beyond it."""
        return bool(self.observed) and math.copysign(1.0, dt) * (self.observed[0] - t1) <= 0

    def _sample(self, attempt: Attempt | None, final: bool = False) -> None:
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
    def _fail(self, status: Any, cursor: Cursor, dt: float, ratio: float, attempt: Attempt | None) -> Failure:
        if attempt is not None and attempt.trouble is not None:
            return unsolved(attempt.trouble, cursor.t, dt, cursor.y)
        found = None if attempt is None else self.stepper.stiffness(attempt)
        stiffness = 0.0 if found is None else float(found)
        blamed = "the state"
        if attempt is not None:
            errors = self.stepper.errors(dt, attempt)
            blamed = blame(self.tolerance, errors[0], cursor.y, attempt.y1)
        return diagnose(
            status, cursor.t, dt, ratio, max(stiffness, 0.0), blamed, cursor.y, details(status, self.control)
        )
