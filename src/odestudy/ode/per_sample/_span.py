"""One step's stretch of time for each sample."""

import numpy as np
import torch
from torch import Tensor

from odestudy.ode._explicit_rk import ExplicitRK
from odestudy.ode._span import Span
from odestudy.ode._stepper import StepResult
from odestudy.ode.per_sample._field import SampleField, upload


class SampleSpan(Span):
    """From t to t + dt, which is t1 but for rounding, host arrays of shape [n]; `column` is dt on the device, [n, 1], in the state's precision.

    To the stepper its length is 1, as the slopes that it sees are already multiplied by dt: see `attempt`.
    `offset`, shape [n] or None, is a zero that carries the gradient of the samples' first times.
    """

    __slots__ = ("column", "ends", "offset", "sizes", "starts")

    def __init__(
        self, t: np.ndarray, dt: np.ndarray, t1: np.ndarray, like: Tensor, offset: Tensor | None = None
    ) -> None:
        self.column = upload(dt, like.device).to(like.dtype)[:, None]
        super().__init__(0.0, 1.0, like)
        self.starts, self.sizes, self.ends, self.offset = t, dt, t1, offset

    def stages(self, nodes: tuple[float, ...]) -> tuple[Tensor, ...]:
        """The times of the stepper's own nodes, each of shape [n]."""
        return self.times(nodes)

    def times(self, nodes: tuple[float, ...]) -> tuple[Tensor, ...]:
        """t + c dt for each node c, computed in float64, not beyond t1, and rounded to the state's precision."""
        at = np.multiply.outer(np.array(nodes), self.sizes) + self.starts
        within = np.where(self.sizes > 0, np.minimum(at, self.ends), np.maximum(at, self.ends))
        times = upload(within, self.device)
        if self.offset is not None:
            times = times + self.offset
        return times.to(self.dtype).unbind()

    def of(self, rows: np.ndarray, like: Tensor) -> "SampleSpan":
        """The stretches in these rows."""
        offset = None if self.offset is None else self.offset[upload(rows, self.device)]
        return SampleSpan(self.starts[rows], self.sizes[rows], self.ends[rows], like, offset)


class ScaledSlopes:
    """dt f: how far each slope leads within the span; `slope` is the last one evaluated."""

    def __init__(self, field: SampleField, span: SampleSpan) -> None:
        self.field, self.column = field, span.column
        self.slope: Tensor | None = None

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        self.slope = self.field(t, y)
        return self.slope * self.column


def attempt(stepper: ExplicitRK, field: SampleField, span: SampleSpan, y: Tensor, k1: Tensor) -> StepResult:
    """A step of each sample from y with slope k1; its stages are slopes times dt, its solver state a slope."""
    scaled = ScaledSlopes(field, span)
    result = stepper.step(scaled, span, y, k1 * span.column)
    result.solver_state = None if result.solver_state is None else scaled.slope
    return result


def attempt_of(whole: StepResult, rows: Tensor) -> StepResult:
    """These rows of an attempted step."""
    ks = [k.index_select(0, rows) for k in whole.ks]
    return StepResult(whole.y1.index_select(0, rows), ks, None, None)


def states_within(weights: Tensor, y: Tensor, scaled: list[Tensor], rows: Tensor) -> Tensor:
    """y + sum_i b_i(theta) r_i for pairs of a row and a theta; weights [m, stages], result [m, D]."""
    stages = torch.stack(scaled, 1).index_select(0, rows)
    start = y.index_select(0, rows)[:, None]
    return torch.baddbmm(start, weights.to(y.dtype)[:, None], stages)[:, 0]
