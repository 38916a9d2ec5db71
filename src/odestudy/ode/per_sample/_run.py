"""One solve of a batch under way: what its gradients read, and what it leaves."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from odestudy.ode._control import Control, Counter
from odestudy.ode._explicit_rk import ExplicitRK
from odestudy.ode._solution import Stats
from odestudy.ode._status import Failure
from odestudy.ode._tolerance import Tolerance
from odestudy.ode.per_sample._field import SampleField, SampleProblem
from odestudy.ode.per_sample._loop import Rows, SampleLoop, SampleObserver
from odestudy.ode.per_sample._observe import SampleObservations, SampleStep
from odestudy.ode.per_sample._times import SampleTimes


class Several:
    """Shows each step to several observers."""

    def __init__(self, observers: Sequence[SampleObserver]) -> None:
        self.observers = observers

    def accept(self, step: SampleStep) -> None:
        """All see the step."""
        for observer in self.observers:
            observer.accept(step)


@dataclass
class SampleRun:
    """Problem, times, method and step control; `nfe`, `accepted`, `rejected` have shape [B]."""

    problem: SampleProblem
    times: SampleTimes
    stepper: ExplicitRK
    tolerance: Tolerance
    control: Control
    dt0: np.ndarray | None
    stats: Stats = field(default_factory=Stats)
    failures: dict[int, Failure] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nfe, self.accepted, self.rejected = np.zeros((3, len(self.problem.y0)), dtype=np.int64)

    def forward(self, *observers: SampleObserver) -> Tensor:
        """Flat states at the observation times, shape [T, B, D], under the caller's gradient mode."""
        y0, times = self.problem.y0, self.times
        offsets = times.offsets if torch.is_grad_enabled() else None
        seen = SampleObservations(times, offsets)
        seen.start(y0)
        loop = SampleLoop(self.stepper, self.control, self.accepted, self.rejected, self.failures)
        loop.run(self._rows(offsets), self.dt0, Several((seen, *observers)))
        self.stats.accepted, self.stats.rejected = int(self.accepted.sum()), int(self.rejected.sum())
        return seen.states()

    def _rows(self, offsets: Tensor | None) -> Rows:
        y0, batch = self.problem.y0, len(self.problem.y0)
        everyone = SampleField(self.problem, Counter(self.stats), self.nfe, np.arange(batch))
        return Rows(
            field=everyone,
            tolerance=self.tolerance,
            y=y0,
            k1=y0,
            offset=None if offsets is None else offsets[:, 0],
            t=self.times.values[:, 0].copy(),
            end=self.times.ends,
            dt=np.zeros(batch),
            left=np.full(batch, self.control.max_steps),
            ratio=np.zeros(batch),
            previous=np.ones((batch, 2)),
            grow=np.ones(batch, dtype=bool),
            stale=np.ones(batch, dtype=bool),
        )
