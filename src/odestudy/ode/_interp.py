"""torchdiffeq's interpolations of fixed steps, "linear" and "cubic", in place of a method's own."""

from typing import Any

from torch import Tensor

from odestudy.ode._span import Span
from odestudy.ode._step import VectorField
from odestudy.ode._stepper import Stepper, StepResult


class Linear:
    """A stepper whose states between the steps lie on a straight line: of order 1 only."""

    def __init__(self, stepper: Stepper) -> None:
        self.inner = stepper
        self.name, self.order, self.nodes = stepper.name, stepper.order, stepper.nodes
        self.error_power, self.one_step = stepper.error_power, stepper.one_step
        self.weights = stepper.weights

    def step(self, f: VectorField, span: Span, y: Tensor, solver_state: Any) -> StepResult:
        """The inner stepper's step."""
        return self.inner.step(f, span, y, solver_state)

    def errors(self, dt: float, attempt: StepResult) -> tuple[Tensor, ...]:
        """The inner stepper's estimate."""
        return self.inner.errors(dt, attempt)

    def stiffness(self, attempt: StepResult) -> Tensor | None:
        """The inner stepper's estimate."""
        return self.inner.stiffness(attempt)

    def interpolate(
        self, f: VectorField, span: Span, y: Tensor, attempt: StepResult, theta: Tensor
    ) -> Tensor:
        """y + theta (y1 - y)."""
        theta = theta.to(y.dtype).reshape(-1, *[1] * y.ndim)
        return y + theta * (attempt.y1 - y)


class Cubic(Linear):
    """A stepper whose states between the steps lie on the cubic through both ends and their slopes."""

    def interpolate(
        self, f: VectorField, span: Span, y: Tensor, attempt: StepResult, theta: Tensor
    ) -> Tensor:
        """Hairer, Nørsett, Wanner I, eq. II.6.7; f at the end is evaluated for it."""
        y1 = attempt.y1
        end = f(span.times((1.0,))[0], y1)
        h = theta.reshape(-1, *[1] * y.ndim)
        first = attempt.ks[0] if self.nodes[0] == 0.0 else f(span.times((0.0,))[0], y)
        rise = (h * h * (3 - 2 * h)).to(y.dtype) * (y1 - y)
        bend = (h * (1 - h) ** 2 * span.dt).to(y.dtype) * first
        return y + rise + bend - (h * h * (1 - h) * span.dt).to(y.dtype) * end


INTERPOLATIONS: dict[str, type[Linear]] = {"linear": Linear, "cubic": Cubic}


def with_interpolation(stepper: Stepper, interp: str | None) -> Stepper:
    """The stepper with another interpolation; None leaves it its own."""
    return stepper if interp is None else INTERPOLATIONS[interp](stepper)
