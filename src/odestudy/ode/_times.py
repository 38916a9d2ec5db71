"""The observation times, as floats for the loops and as zeros that carry their gradient."""

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from odestudy.ode._precision import on, wide


@dataclass(frozen=True)
class Times:
    """`values` as floats; `offsets`, shape [len], as precise as times are: t - t, zero but differentiable, or None."""

    tensor: Tensor
    values: tuple[float, ...]
    offsets: Tensor | None

    @property
    def differentiable(self) -> bool:
        """Whether a gradient in the times is wanted."""
        return self.offsets is not None

    def start_offsets(self) -> Tensor | None:
        """Carriers for a solve from the first time to an end that does not move."""
        if self.offsets is None:
            return None
        return torch.cat([self.offsets[:1], torch.zeros_like(self.offsets[:1])])

    def ends(self) -> "Times":
        """The first time and the last one alone."""
        if len(self.values) < 3:
            return self
        first_and_last = slice(None, None, len(self.values) - 1)
        offsets = None if self.offsets is None else self.offsets[first_and_last]
        return Times(self.tensor[first_and_last], self.values[first_and_last], offsets)

    def ending_at(self, t1: float) -> "Times":
        """The first time and t1, which is an event's and carries no gradient."""
        start = self.tensor[:1]
        return Times(
            torch.cat([start, torch.full_like(start.detach(), t1)]),
            (self.values[0], t1),
            self.start_offsets(),
        )


def make_times(t: Tensor | Sequence[float], y0: Tensor, repeated: bool = False) -> Times:
    """Raises ValueError unless t is one-dimensional, finite and strictly monotonic (or monotonic, if `repeated`)."""
    if not isinstance(t, Tensor):
        t = torch.as_tensor(t, dtype=wide(torch.device("cpu")))
    if not t.is_floating_point():
        raise ValueError(f"t must be floating point, got {t.dtype}; use t.double()")
    if t.ndim != 1 or t.numel() == 0:
        raise ValueError(f"t must be one-dimensional with at least one time, got shape {tuple(t.shape)}")
    values = tuple(t.detach().tolist())
    if not all(map(math.isfinite, values)):
        raise ValueError(f"t must be finite, got {values}")
    rising, falling = (operator.le, operator.ge) if repeated else (operator.lt, operator.gt)
    if not (all(map(rising, values, values[1:])) or all(map(falling, values, values[1:]))):
        raise ValueError("t must be strictly increasing or strictly decreasing; sort it, drop repeated times")
    offsets = on(y0.device, (t - t.detach()).to(wide(t.device))) if t.requires_grad else None
    return Times(t, values, offsets)
