"""Ends a solve where a function of time and state changes its sign."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._problem import Problem
from odestudy.ode._span import Span
from odestudy.ode._step import VectorField
from odestudy.ode._stepper import Stepper, StepResult

BISECTIONS = 60

EventFn = Callable[[Tensor, Any], Tensor]


class Event:
    """Watches the steps for the first sign change of any element of event_fn(t, y).

    Each element counts as positive at the start, so that the least of them changes its sign first. `lost` is
    the time at which a value that is not finite ended the watch.
    """

    def __init__(self, event_fn: EventFn, problem: Problem, t0: float) -> None:
        self.event_fn, self.problem = event_fn, problem
        self.t: float | None = None
        self.lost: float | None = None
        self.y: Tensor | None = None
        with torch.no_grad():
            self.signs = torch.sign(self._call(t0, problem.y0))

    def _call(self, t: float | Tensor, y: Tensor) -> Tensor:
        time = torch.as_tensor(t, dtype=y.dtype, device=y.device)
        if y.shape != self.problem.y0.shape:  # a gradient solves for more than the state, the state first
            y = y[: self.problem.y0.numel()].reshape(self.problem.y0.shape)
        return self.event_fn(time, self.problem.restore(y, leading=0))

    def least(self, t: float | Tensor, y: Tensor) -> Tensor:
        """The element nearest to its change of sign, as a scalar that starts positive (or zero)."""
        return (self._call(t, y) * self.signs).min()

    def accept(
        self,
        f: VectorField,
        stepper: Stepper,
        span: Span,
        t: float,
        t1: float,
        y: Tensor,
        attempt: StepResult,
    ) -> bool:
        """True where the sign changed within the step; then finds when, by bisection on the dense output.

        True, too, where the state or event_fn is no longer a number.
        """
        with torch.no_grad():
            least = float(self.least(t1, attempt.y1))
            if least > 0:
                return False
            if not self._sound(least, attempt.y1):
                self.lost = t1
                return True
            low, high = 0.0, 1.0
            for _ in range(BISECTIONS):
                middle = 0.5 * (low + high)
                state = self._at(f, stepper, span, y, attempt, middle)
                if bool(self.least(t + middle * (t1 - t), state) > 0):
                    low = middle
                else:
                    high = middle
                if high - low <= 2**-52:
                    break
        when = t + high * (t1 - t)
        state = self._at(f, stepper, span, y, attempt, self._where(span, high, when))
        with torch.no_grad():
            sound = self._sound(float(self.least(when, state)), state)
        if sound:
            self.t, self.y = when, state
        else:
            self.lost = when
        return True

    def _sound(self, least: float, y: Tensor) -> bool:
        return not math.isnan(least) and bool(torch.isfinite(y).all())

    def _where(self, span: Span, theta: float, when: float) -> float | Tensor:
        """theta at the event's fixed time, which moves within the step where the step moves with t0."""
        if not (isinstance(span.t, Tensor) or isinstance(span.dt, Tensor)):
            return theta
        where: Tensor = (when - span.t) / torch.as_tensor(span.dt)
        return where - where.detach() + theta

    def _at(
        self,
        f: VectorField,
        stepper: Stepper,
        span: Span,
        y: Tensor,
        attempt: StepResult,
        theta: float | Tensor,
    ) -> Tensor:
        where = torch.as_tensor(theta, dtype=torch.float64, device=y.device).reshape(1)
        return stepper.interpolate(f, span, y, attempt, where)[0]
