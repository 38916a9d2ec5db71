"""What is kept of a solve: the states at the observation times, an event, the dense output."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from odestudy.ode._accepted import Accepted
from odestudy.ode._precision import wide


class Observer(Protocol):
    """Sees each accepted step; returns True to end the solve there."""

    def accept(self, step: Accepted) -> bool:
        """The accepted step."""


class Nothing:
    """Keeps nothing: the end of the solve is all that is wanted."""

    def accept(self, step: Accepted) -> bool:
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

    def accept(self, step: Accepted) -> bool:
        """Adds the observations up to t1."""
        first = last = self.seen
        while last < len(self.times) and self.sign * (self.times[last] - step.t1) <= 0:
            last += 1
        if last == first:
            return False
        if last == first + 1 and self.times[first] == step.t1 and self.exact:
            self._add(step.y1, True)
        else:
            self._add(step.at(self._theta(step, first, last)), False)
        self.seen = last
        return False

    def _theta(self, step: Accepted, first: int, last: int) -> Tensor:
        """Where in the step these observations are."""
        span, t, size = step.span, step.t, step.t1 - step.t
        theta = [(time - t) / size for time in self.times[first:last]]
        device = step.y.device
        result = torch.tensor(theta, dtype=wide(device)).to(device, non_blocking=True)
        if self.offsets is None:
            return result
        moved = span.t - span.t.detach() if isinstance(span.t, Tensor) else 0.0
        stretched = result * (span.dt - span.dt.detach()) if isinstance(span.dt, Tensor) else 0.0
        return result + (self.offsets[first:last] - moved - stretched) / size

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

    def accept(self, step: Accepted) -> bool:
        """True where one of them says so; all see the step."""
        ends = [observer.accept(step) for observer in self.observers]
        return any(ends)
