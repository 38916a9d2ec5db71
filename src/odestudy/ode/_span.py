"""A step's stretch of time, and the scalar tensors at which f is evaluated in it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from odestudy.ode._constants import nodes_tensor
from odestudy.ode._precision import wide


def nudge(time: Tensor, towards: float) -> Tensor:
    """The next representable number in the direction of `towards`, with the gradient of `time`."""
    target = torch.full_like(time.detach(), towards)
    return time + (torch.nextafter(time.detach(), target) - time.detach())


class Span:
    """From t to t + dt; both are floats, or tensors where gradients with respect to time are wanted.

    `after` and `before` ask for f just inside the ends, where f jumps there; beyond the time `limit` f must not
    be asked. `given` are the times of the stepper's own nodes, made beforehand.
    """

    __slots__ = ("after", "before", "device", "dt", "dtype", "given", "limit", "t")

    def __init__(
        self,
        t: float | Tensor,
        dt: float | Tensor,
        like: Tensor,
        given: Sequence[Tensor] | None = None,
        after: bool = False,
        before: bool = False,
        limit: float | None = None,
    ) -> None:
        self.t, self.dt, self.given, self.limit = t, dt, given, limit
        self.dtype, self.device = like.dtype, like.device
        self.after, self.before = after, before

    @property
    def length(self) -> float:
        """dt as a number, without its gradient."""
        return float(self.dt.detach() if isinstance(self.dt, Tensor) else self.dt)

    def leaves(self, farthest: float) -> bool:
        """Whether the node `farthest`, which is beyond 1, lies beyond the limit."""
        if self.limit is None or farthest <= 1.0:
            return False
        t = float(self.t.detach() if isinstance(self.t, Tensor) else self.t)
        return (t + farthest * self.length - self.limit) * self.length > 0

    def _limited(self, times: Tensor, limit: float) -> Tensor:
        """The times, those beyond the limit on it, with the gradient that they have."""
        beyond = times.detach() - limit
        return times - (beyond.clamp_min(0) if self.length > 0 else beyond.clamp_max(0))

    def stages(self, nodes: tuple[float, ...]) -> Sequence[Tensor]:
        """The times of the stepper's own nodes."""
        return self.times(nodes) if self.given is None else self.given

    def times(self, nodes: tuple[float, ...]) -> Sequence[Tensor]:
        """t + c dt for each node c, computed as precisely as the device can and rounded to the state's precision."""
        t, dt = self.t, self.dt
        # t + dt may round to beyond the limit that dt was made for.
        limit = self.limit if max(nodes, default=0.0) <= 1 else None
        on_host = self.device.type == "cpu" or wide(self.device) == torch.float32
        if on_host and isinstance(t, float) and isinstance(dt, float):
            at = [t + c * dt for c in nodes]
            if limit is not None:
                within = min if dt > 0 else max
                at = [within(time, limit) for time in at]
            times = torch.tensor(at, dtype=self.dtype, device=self.device).unbind()
        else:
            where = nodes_tensor(nodes, self.device) * dt + t
            times = (where if limit is None else self._limited(where, limit)).to(self.dtype).unbind()
        if not (self.after or self.before):
            return times
        forward = float("inf") if float(self.dt) > 0 else -float("inf")
        ends = {0.0: (self.after, forward), 1.0: (self.before, -forward)}
        return [
            nudge(time, ends[c][1]) if c in ends and ends[c][0] else time
            for c, time in zip(nodes, times, strict=True)
        ]
