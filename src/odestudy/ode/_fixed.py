"""The fixed-step loop: a given grid, no decision that depends on the state, no host synchronization."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import torch
from torch import Tensor

from odestudy.ode._accepted import Accepted
from odestudy.ode._constants import nodes_tensor
from odestudy.ode._control import Counter
from odestudy.ode._diagnosis import unsolved
from odestudy.ode._hooks import NO_HOOKS, Hooks
from odestudy.ode._observer import Observer
from odestudy.ode._precision import wide
from odestudy.ode._span import Span
from odestudy.ode._status import Failure
from odestudy.ode._step import VectorField
from odestudy.ode._stepper import Stepper

CHUNK = 256  # steps whose times are made at once


class FixedLoop:
    """Drives any stepper over given times; `offsets` are zeros with the gradient of those times, or None."""

    def __init__(
        self, stepper: Stepper, counter: Counter, hooks: Hooks = NO_HOOKS, perturb: bool = False
    ) -> None:
        self.stepper, self.counter, self.hooks, self.perturb = stepper, counter, hooks, perturb
        self.reaches = max(stepper.nodes, default=0.0) > 1  # beyond a step's end
        self.failure: Failure | None = None  # of an implicit step without a solution, which ends the solve

    def run(
        self,
        f: VectorField,
        y: Tensor,
        times: Sequence[float],
        observer: Observer,
        offsets: Tensor | None = None,
    ) -> tuple[float, Tensor, bool]:
        """(time, state, whether the observer ended the solve) at the last of `times` or where it ended."""
        spans = self._spans(y, times, offsets)
        solver_state, done, t1 = None, False, times[0]
        for (t, t1), span in zip(pairwise(times), spans, strict=False):
            self.hooks.step(t, y, t1 - t)
            attempt = self.stepper.step(f, span, y, solver_state)
            self.counter.linear_algebra(attempt)
            if attempt.status is not None:
                self.failure = unsolved(attempt.status, t, t1 - t, y)
                return t, y, False
            self.counter.step(True)
            done = observer.accept(Accepted(f, self.stepper, span, t, t1, y, attempt))
            y, solver_state = attempt.y1, attempt.solver_state
            if done:
                break
        return t1, y, done

    def _spans(self, y: Tensor, times: Sequence[float], offsets: Tensor | None) -> Iterator[Span]:
        """Each step's times, a chunk of steps made at once."""
        steps = [b - a for a, b in pairwise(times)]
        if self.perturb or offsets is not None or self.reaches:
            yield from (self._span(y, times, i, dt, offsets) for i, dt in enumerate(steps))
            return
        for start in range(0, len(steps), CHUNK):
            t, dt = list(times[start : start + CHUNK])[: len(steps) - start], steps[start : start + CHUNK]
            table = _table(tuple(t), tuple(dt), times[-1], self.stepper.nodes, y.dtype, y.device)
            for row, one_t, one_dt in zip(table.clone().unbind(), t, dt, strict=True):
                yield Span(one_t, one_dt, y, given=row.unbind())

    def _span(self, y: Tensor, times: Sequence[float], i: int, dt: float, offsets: Tensor | None) -> Span:
        limit = times[-1] if self.reaches or i + 2 == len(times) else None
        if offsets is None:
            return Span(times[i], dt, y, after=self.perturb, before=self.perturb, limit=limit)
        step = offsets[i + 1] - offsets[i] + dt
        return Span(offsets[i] + times[i], step, y, after=self.perturb, before=self.perturb, limit=limit)


@lru_cache(maxsize=8)
def _table(
    t: tuple[float, ...],
    dt: tuple[float, ...],
    end: float,
    nodes: tuple[float, ...],
    dtype: torch.dtype,
    device: torch.device,
) -> Tensor:
    """t_i + c_j dt_i, not beyond the end, shape [steps, nodes]; kept on the device for the next solve on this grid."""
    if wide(device) == torch.float32:
        rows = [[a + c * h for c in nodes] for a, h in zip(t, dt, strict=True)]
        within = min if dt[0] > 0 else max
        return torch.tensor([[within(x, end) for x in row] for row in rows], dtype=dtype, device=device)
    with torch.inference_mode(False), torch.no_grad():
        grid = torch.tensor([t, dt], dtype=torch.float64).to(device, non_blocking=True)
        at = torch.addcmul(grid[0, :, None], grid[1, :, None], nodes_tensor(nodes, device))
        return (at.clamp_max(end) if dt[0] > 0 else at.clamp_min(end)).to(dtype)
