"""The solution as a function of time."""

from bisect import bisect_right
from dataclasses import dataclass, field

import torch
from torch import Tensor

from odestudy.ode._accepted import Accepted
from odestudy.ode._precision import as_like, wide
from odestudy.ode._problem import Problem
from odestudy.ode._refusal import without_derivative
from odestudy.ode._state import State
from odestudy.ode._stepper import Stepper

APART = "the interpolant has a gradient under gradient='backprop' only: take that, or the times that it is wanted at as t"


@dataclass
class Recorder:
    """Keeps every accepted step, with the stages that interpolation needs."""

    steps: list[Accepted] = field(default_factory=list)

    def accept(self, step: Accepted) -> bool:
        """Keeps the step; the missing stages are evaluated now, while f is counted."""
        step.at(torch.ones(1, dtype=wide(step.y.device), device=step.y.device))
        self.steps.append(step)
        return False


@dataclass(frozen=True)
class Interpolant:
    """The solution at any times between ts[0] and ts[-1], with the accuracy of the method's dense output.

    It begins at the time `start`, and ends with the last step, or at the time `event` within that. The gradient of
    "backprop" goes through it; of the others it refuses one, in what the solve depends on, `causes`.
    """

    stepper: Stepper
    recorder: Recorder
    problem: Problem
    start: float
    event: float | None = None
    causes: tuple[Tensor, ...] = ()

    @property
    def ts(self) -> tuple[float, ...]:
        """The ends of the accepted steps, the last one cut off at the event."""
        ends = (self.start, *(step.t1 for step in self.recorder.steps))
        return ends if self.event is None else (*ends[:-1], self.event)

    def __call__(self, t: float | Tensor) -> State:
        """State at a time, or states at a tensor of times, shape [len(t), *y0.shape]; differentiable in them, too.

        Raises ValueError for a time outside the solve.
        """
        given = t.detach().reshape(-1).tolist() if isinstance(t, Tensor) else [float(t)]
        ends, values, leading = self.ts, list(given), t.ndim if isinstance(t, Tensor) else 0
        sign = 1.0 if ends[-1] >= ends[0] else -1.0
        order = [sign * e for e in ends]
        if any(not order[0] <= sign * v <= order[-1] for v in values):
            raise ValueError(f"t = {values} is outside the solve, which ran from {ends[0]} to {ends[-1]}")
        indices = [min(bisect_right(order, sign * v), len(ends) - 1) - 1 for v in values]
        exact = t.reshape(-1).unbind() if isinstance(t, Tensor) and t.requires_grad else values
        ys = torch.cat([self._state(*where) for where in zip(values, indices, exact, strict=True)])
        if self.causes:
            ys = without_derivative(ys, APART, *self.causes)
        return self.problem.restore(ys if leading else ys[0], leading=leading)

    def _state(self, time: float, index: int, exact: float | Tensor) -> Tensor:
        """The state at a time within this step; `exact` is the time with its gradient."""
        if not self.recorder.steps:
            return self.problem.y0[None]
        step = self.recorder.steps[index]
        where, device = (time - step.t) / (step.t1 - step.t), step.y.device
        theta = torch.tensor([where], dtype=wide(device), device=device)
        if any(isinstance(x, Tensor) for x in (exact, step.span.t, step.span.dt)):
            moved = as_like(torch.as_tensor((exact - step.span.t) / step.span.dt), theta)
            theta = theta + (moved - moved.detach())
        return self.stepper.interpolate(self.problem.f, step.span, step.y, step.attempt, theta)
