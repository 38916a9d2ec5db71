"""An accepted step, as what looks on at a solve sees it."""

from dataclasses import dataclass

from torch import Tensor

from odestudy.ode._span import Span
from odestudy.ode._step import VectorField
from odestudy.ode._stepper import Stepper, StepResult


@dataclass(slots=True)
class Accepted:
    """The step of `stepper` from (t, y) to (t1, attempt.y1); `f` is asked where interpolation needs more stages."""

    f: VectorField
    stepper: Stepper
    span: Span
    t: float
    t1: float
    y: Tensor
    attempt: StepResult

    @property
    def y1(self) -> Tensor:
        """The state at t1."""
        return self.attempt.y1

    def at(self, theta: Tensor) -> Tensor:
        """States at t + theta (t1 - t), shape [len(theta), *y.shape]; theta is of shape [n], in [0, 1]."""
        return self.stepper.interpolate(self.f, self.span, self.y, self.attempt, theta)
