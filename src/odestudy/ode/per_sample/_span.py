"""One step's stretch of time for each sample."""

import numpy as np
import torch
from torch import Tensor

from odestudy.ode._span import Span
from odestudy.ode._stepper import Attempt
from odestudy.ode.per_sample._field import upload


class SampleSpan(Span):
    """From t to t + dt, host arrays of shape [n]; `dt` and `column`, [n, 1], in the state's precision.

    `offset`, shape [n] or None, is a zero that carries the gradient of the samples' first times.
    """

    __slots__ = ("column", "offset", "sizes", "starts")

    def __init__(self, t: np.ndarray, dt: np.ndarray, like: Tensor, offset: Tensor | None = None) -> None:
        self.column = upload(dt, like.device).to(like.dtype)[:, None]
        super().__init__(0.0, self.column, like)
        self.starts, self.sizes, self.offset = t, dt, offset

    def stages(self, nodes: tuple[float, ...]) -> tuple[Tensor, ...]:
        """The times of the stepper's own nodes, each of shape [n]."""
        return self.times(nodes)

    def times(self, nodes: tuple[float, ...]) -> tuple[Tensor, ...]:
        """t + c dt for each node c, computed in float64 and rounded to the state's precision."""
        times = upload(np.multiply.outer(np.array(nodes), self.sizes) + self.starts, self.device)
        if self.offset is not None:
            times = times + self.offset
        return times.to(self.dtype).unbind()

    def of(self, rows: np.ndarray, like: Tensor) -> "SampleSpan":
        """The stretches in these rows."""
        offset = None if self.offset is None else self.offset[upload(rows, self.device)]
        return SampleSpan(self.starts[rows], self.sizes[rows], like, offset)


def attempt_of(attempt: Attempt, rows: Tensor) -> Attempt:
    """These rows of an attempted step."""
    ks = [k.index_select(0, rows) for k in attempt.ks]
    return Attempt(attempt.y1.index_select(0, rows), ks, None, ks[0])


def states_within(weights: Tensor, dt: Tensor, y: Tensor, ks: list[Tensor], rows: Tensor) -> Tensor:
    """y + dt sum_i b_i(theta) k_i for pairs of a row and a theta; weights [m, stages], result [m, D]."""
    stages = torch.stack(ks, 1).index_select(0, rows)
    rise = (weights.to(y.dtype)[:, None] @ stages)[:, 0]
    return torch.addcmul(y.index_select(0, rows), dt.index_select(0, rows), rise)
