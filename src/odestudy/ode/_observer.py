"""What is kept of a solve: the states at the observation times, an event, the dense output."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from odestudy.ode._span import Span
from odestudy.ode._step import VectorField
from odestudy.ode._stepper import Stepper, StepResult


class Observer(Protocol):
    """Sees each accepted step; returns True to end the solve there."""

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
        """The accepted step from (t, y) to (t1, attempt.y1)."""


class Nothing:
    """Keeps nothing: the end of the solve is all that is wanted."""

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
        """Goes on."""
        return False


class Observations:
    """Collects the states at `times`, all those in one step interpolated together.

    `offsets` are zeros that carry the gradient of the times, or None; `aligned` says that the steps run from
    one observation to the next and stretch with them.
    """

    def __init__(
        self, times: Sequence[float], offsets: Tensor | None = None, aligned: bool = False, seen: int = 0
    ) -> None:
        self.times, self.offsets = times, offsets
        self.exact = offsets is None or aligned  # y1 is the observation, its gradient in time included
        self.sign = 1.0 if times[-1] >= times[0] else -1.0
        self.pieces: list[Tensor] = []
        self.single: list[bool] = []
        self.seen = seen

    def start(self, y0: Tensor) -> None:
        """Adds the first observation, the initial value."""
        self._add(y0, True)
        self.seen = 1

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
        """Adds the observations up to t1."""
        first = last = self.seen
        while last < len(self.times) and self.sign * (self.times[last] - t1) <= 0:
            last += 1
        if last == first:
            return False
        if last == first + 1 and self.times[first] == t1 and self.exact:
            self._add(attempt.y1, True)
        else:
            theta = self._theta(span, t, t1, first, last, y.device)
            self._add(stepper.interpolate(f, span, y, attempt, theta), False)
        self.seen = last
        return False

    def _theta(self, span: Span, t: float, t1: float, first: int, last: int, device: torch.device) -> Tensor:
        theta = [(time - t) / (t1 - t) for time in self.times[first:last]]
        result = torch.tensor(theta, dtype=torch.float64, device=device)
        if self.offsets is None:
            return result
        moved = span.t - span.t.detach() if isinstance(span.t, Tensor) else 0.0
        stretched = result * (span.dt - span.dt.detach()) if isinstance(span.dt, Tensor) else 0.0
        return result + (self.offsets[first:last] - moved - stretched) / (t1 - t)

    def _add(self, piece: Tensor, single: bool) -> None:
        self.pieces.append(piece)
        self.single.append(single)

    def states(self, complete: bool = True) -> Tensor:
        """Shape [observations, *y0.shape]; if `complete`, nan where the solve did not get to."""
        if all(self.single):
            ys = torch.stack(self.pieces)
        else:
            ys = torch.cat([p[None] if one else p for p, one in zip(self.pieces, self.single, strict=True)])
        missing = len(self.times) - self.seen if complete else 0
        return torch.cat([ys, ys.new_full((missing, *ys.shape[1:]), torch.nan)]) if missing else ys


class Several:
    """Shows each step to several observers; any of them ends the solve."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self.observers = observers

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
        """True where one of them says so; all see the step."""
        ends = [observer.accept(f, stepper, span, t, t1, y, attempt) for observer in self.observers]
        return any(ends)
