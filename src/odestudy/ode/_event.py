"""Ends a solve where a function of time and state changes its sign."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._accepted import Accepted
from odestudy.ode._precision import wide
from odestudy.ode._problem import Problem
from odestudy.ode._span import Span

BISECTIONS = 60
LEAVING = 2.0**-10  # of a step: where an element that is zero at the start shows to which side it leaves
ROUNDINGS = 512  # of the time, as dense outputs have coefficients of that size: a change of sign so near to the start is the event that the solve begins with

EventFn = Callable[[Tensor, Any], Tensor]
Direction = float | Sequence[float]


class ReportedEvent:
    """An event_fn that is told which of its elements ended the solve."""

    def __init__(self, event_fn: EventFn) -> None:
        self.event_fn, self.index = event_fn, None  # type: tuple[EventFn, int | None]

    def __call__(self, t: Tensor, y: Any) -> Tensor:
        return self.event_fn(t, y)


class Event:
    """Watches the steps for the first sign change of any element of event_fn(t, y); yes and no count as 1 and -1.

    `signs` are those of the side that each element comes from, so that the least product of value and sign
    changes its sign first; 0 for one that is not watched yet: it is zero at the start, or on the far side of
    its `direction` (1: counts where it rises, -1: where it falls, 0: both). `index` says which element ended
    the solve, `lost` is the time at which a value that is not finite ended the watch.
    """

    def __init__(self, event_fn: EventFn, problem: Problem, t0: float, direction: Direction = 0) -> None:
        self.event_fn, self.problem = event_fn, problem
        self.t: float | None = None
        self.index: int | None = None
        self.lost: float | None = None
        self.y: Tensor | None = None
        self.at_start = True
        with torch.no_grad():
            values = self.values(t0, problem.y0)
            if not len(values):
                raise ValueError("event_fn(t, y) gave no element, as y has none: an empty state has no event")
            self.direction = directions(direction, len(values)).to(values)
            self.signs = torch.zeros_like(values)
            self._watch(values)
            if bool(values.isnan().any()):
                self.lost = t0

    def values(self, t: float | Tensor, y: Tensor) -> Tensor:
        """event_fn's elements, shape [n]."""
        time = torch.as_tensor(t, dtype=y.dtype, device=y.device)
        if y.shape != self.problem.y0.shape:  # a gradient solves for more than the state, the state first
            y = y[: self.problem.y0.numel()].reshape(self.problem.y0.shape)
        return answers(self.event_fn(time, self.problem.restore(y, leading=0)), y).reshape(-1)

    def _watch(self, values: Tensor) -> None:
        """Watches the elements that are not watched yet, where they are on the side that they are to come from."""
        seen = torch.sign(values)
        seen = torch.where(seen * self.direction > 0, 0, seen)
        self.signs = torch.where(self.signs == 0, seen, self.signs)
        self.waiting = bool((self.signs == 0).any())

    def least(self, t: float | Tensor, y: Tensor) -> Tensor:
        """The element nearest to its change of sign, as a scalar that starts positive; infinite where none is watched."""
        products = self.values(t, y) * self.signs
        return (torch.where(self.signs == 0, torch.inf, products) if self.waiting else products).min()

    @torch.no_grad()
    def _begin(self, step: Accepted) -> None:
        """Looks just behind the start, for elements that are zero there, but for rounding."""
        self.at_start = False
        t, size = step.t, step.t1 - step.t

        def values(theta: float) -> Tensor:
            return self.values(t + theta * size, _at(step, theta))

        if self.waiting and bool((self.signs + self.direction == 0).any()):
            self._watch(values(LEAVING))
        if bool(self.least(step.t1, step.y1) <= 0):
            turnover = float(turnovers(step.y[None], step.y1[None]))
            rounding = ROUNDINGS * torch.finfo(step.y.dtype).eps * max(abs(t / size), 1.0, turnover)
            seen = torch.sign(values(min(LEAVING, rounding)))
            left = seen * self.signs < 0
            self.signs = torch.where(left, 0, self.signs)
            self._watch(torch.where(left, seen, 0))

    def accept(self, step: Accepted) -> bool:
        """True where the sign changed within the step; then finds when, by bisection on the dense output.

        True, too, where the state or event_fn is no longer a number.
        """
        if self.lost is not None:
            return True
        if self.at_start:
            self._begin(step)
        with torch.no_grad():
            least = float(self.least(step.t1, step.y1))
            if least > 0:
                if self.waiting:
                    self._watch(self.values(step.t1, step.y1))
                return False
            if not self._sound(least, step.y1):
                self.lost = step.t1
                return True
            high = self._bisect(step)
        when = step.t + high * (step.t1 - step.t)
        state = _at(step, self._where(step.span, high, when))
        with torch.no_grad():
            products = self.values(when, state) * self.signs
            if not self._sound(float(self.least(when, state)), state):
                self.lost = when
                return True
            self.index = int(torch.where(self.signs == 0, torch.inf, products).argmin())
        self.t, self.y = when, state
        if isinstance(self.event_fn, ReportedEvent):
            self.event_fn.index = self.index
        return True

    def _bisect(self, step: Accepted) -> float:
        """theta at the far side of the sign change."""
        low, high = 0.0, 1.0
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            if bool(self.least(step.t + middle * (step.t1 - step.t), _at(step, middle)) > 0):
                low = middle
            else:
                high = middle
            if high - low <= 2**-52:
                break
        return high

    def _sound(self, least: float, y: Tensor) -> bool:
        return not math.isnan(least) and bool(torch.isfinite(y).all())

    def _where(self, span: Span, theta: float, when: float) -> float | Tensor:
        """theta at the event's fixed time, which moves within the step where the step moves with t0."""
        if not (isinstance(span.t, Tensor) or isinstance(span.dt, Tensor)):
            return theta
        where: Tensor = (when - span.t) / torch.as_tensor(span.dt)
        return where - where.detach() + theta


def _at(step: Accepted, theta: float | Tensor) -> Tensor:
    """The state within the step."""
    device = step.y.device
    return step.at(torch.as_tensor(theta, dtype=wide(device), device=device).reshape(1))[0]


def answers(given: Any, y: Tensor) -> Tensor:
    """event_fn's answer for a state, or for several, yes and no as 1 and -1; ValueError for none that has a sign."""
    if isinstance(given, bool | int | float):
        given = torch.as_tensor(given, device=y.device)
    if not isinstance(given, Tensor) or given.is_complex() or given.numel() == 0 < y.numel():
        got = f"{tuple(given.shape)} of {given.dtype}" if isinstance(given, Tensor) else type(given).__name__
        raise ValueError(
            f"event_fn(t, y) gave {got}; it must be a number, a real tensor of one element or more, or yes and no "
            "(torch.stack makes one tensor of several)"
        )
    return given.to(y.dtype) * 2 - 1 if given.dtype == torch.bool else given


def turnovers(y: Tensor, y1: Tensor) -> Tensor:
    """In how many such steps the states, shape [n, ...], would change by their own size, shape [n]."""
    moved = torch.linalg.vector_norm((y1 - y).flatten(1), dim=1)
    return torch.linalg.vector_norm(y.flatten(1), dim=1) / moved.clamp_min(torch.finfo(y.dtype).tiny)


def directions(given: Direction, count: int) -> Tensor:
    """-1, 0 or 1 for each element of an event, shape [count]; ValueError for others."""
    values = torch.as_tensor(given).reshape(-1)
    if not bool(torch.isin(values, torch.tensor([-1, 0, 1])).all()) or len(values) not in (1, count):
        raise ValueError(
            f"event_direction must be 1 (rising), -1 (falling) or 0 (both), or one of them for each of event_fn's "
            f"{count} elements, got {given!r}"
        )
    return values.expand(count)
