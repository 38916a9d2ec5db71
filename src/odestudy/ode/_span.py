"""A step's stretch of time, and the scalar tensors at which f is evaluated in it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from odestudy.ode._constants import nodes_tensor


def nudge(time: Tensor, towards: float) -> Tensor:
    """The next representable number in the direction of `towards`, with the gradient of `time`."""
    target = torch.full_like(time.detach(), towards)
    return time + (torch.nextafter(time.detach(), target) - time.detach())


class Span:
    """From t to t + dt; both are floats, or float64 tensors where gradients with respect to time are wanted.

    `after` and `before` ask for f just inside the ends, where f jumps there. `given` are the times of the
    stepper's own nodes, made beforehand.
    """

    __slots__ = ("after", "before", "device", "dt", "dtype", "given", "t")

    def __init__(
        self,
        t: float | Tensor,
        dt: float | Tensor,
        like: Tensor,
        given: Sequence[Tensor] | None = None,
        after: bool = False,
        before: bool = False,
    ) -> None:
        self.t, self.dt, self.given = t, dt, given
        self.dtype, self.device = like.dtype, like.device
        self.after, self.before = after, before

    @property
    def length(self) -> float:
        """dt as a number, without its gradient."""
        return float(self.dt.detach() if isinstance(self.dt, Tensor) else self.dt)

    def stages(self, nodes: tuple[float, ...]) -> Sequence[Tensor]:
        """The times of the stepper's own nodes."""
        return self.times(nodes) if self.given is None else self.given

    def times(self, nodes: tuple[float, ...]) -> Sequence[Tensor]:
        """t + c dt for each node c, computed in float64 and rounded to the state's precision."""
        t, dt = self.t, self.dt
        if self.device.type == "cpu" and isinstance(t, float) and isinstance(dt, float):
            times = torch.tensor([t + c * dt for c in nodes], dtype=self.dtype).unbind()
        else:
            times = (nodes_tensor(nodes, self.device) * dt + t).to(self.dtype).unbind()
        if not (self.after or self.before):
            return times
        forward = float("inf") if float(self.dt) > 0 else -float("inf")
        ends = {0.0: (self.after, forward), 1.0: (self.before, -forward)}
        return [
            nudge(time, ends[c][1]) if c in ends and ends[c][0] else time
            for c, time in zip(nodes, times, strict=True)
        ]
