"""One solve of a batch under way: what its gradients read, and what it leaves."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from odestudy.ode._control import Control, Counter
from odestudy.ode._explicit_rk import ExplicitRK
from odestudy.ode._guard import Guard
from odestudy.ode._solution import Stats
from odestudy.ode._status import Failure
from odestudy.ode._tolerance import Tolerance
from odestudy.ode._uses import Uses
from odestudy.ode.per_sample._event import SampleEvent
from odestudy.ode.per_sample._field import SampleField, SampleProblem, Share
from odestudy.ode.per_sample._loop import SampleLoop, SampleObserver
from odestudy.ode.per_sample._observe import SampleObservations, SampleStep
from odestudy.ode.per_sample._rows import Rows
from odestudy.ode.per_sample._save import Kept
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
    event: SampleEvent | None = None
    stats: Stats = dataclasses.field(default_factory=Stats)
    failures: dict[int, Failure] = dataclasses.field(default_factory=dict)
    sources: tuple[Tensor, ...] = ()  # what a gradient is wanted of beside the state
    generators: tuple[torch.Generator, ...] = ()  # f's own
    kept: Kept | None = None  # in place of each state, under "backprop"

    def __post_init__(self) -> None:
        self.accepted, self.rejected = np.zeros((2, len(self.problem.y0)), dtype=np.int64)
        self.shares: list[Share] = []

    @property
    def nfe(self) -> np.ndarray:
        """Evaluations for each sample."""
        counts = np.zeros(len(self.problem.y0), dtype=np.int64)
        for share in self.shares:
            counts[share.samples] += share.calls
        return counts

    def forward(self, *observers: SampleObserver, uses: Uses | None = None) -> Tensor:
        """Flat states at the observation times, shape [T, B, D], under the caller's gradient mode.

        With an event, those at the start and at the event, whose times become the last observations.
        """
        y0, times = self.problem.y0, self.times
        if not torch.is_grad_enabled():
            y0 = y0.detach()  # another tensor than the caller's, which f may use itself
        offsets = times.offsets if torch.is_grad_enabled() else None
        seen = SampleObservations(times, offsets, self.kept)
        seen.start(y0)
        watching = () if self.event is not None else (seen,)
        loop = SampleLoop(self.stepper, self.control, self.accepted, self.rejected, self.failures, self.event)
        loop.run(self._rows(y0, offsets, uses), self.dt0, Several((*watching, *observers)))
        self.stats.accepted, self.stats.rejected = int(self.accepted.sum()), int(self.rejected.sum())
        if self.event is None:
            return seen.states()
        self.times = times.ending_at(self.event.t)
        return torch.stack([y0, self.event.ends()])

    def field(self, uses: Uses | None = None) -> SampleField:
        """f for all samples, its evaluations counted; `uses` looks on at the first one."""
        everyone = np.arange(len(self.problem.y0))
        return SampleField(self.problem, Counter(self.stats), self.shares, everyone, Guard(uses))

    def _rows(self, y0: Tensor, offsets: Tensor | None, uses: Uses | None) -> Rows:
        batch = len(y0)
        return Rows(
            field=self.field(uses),
            tolerance=self.tolerance,
            y=y0,
            k1=y0,
            offset=None if offsets is None else offsets[:, 0],
            t=self.times.values[:, 0].copy(),
            end=self.times.ends if self.event is None else self.times.signs * np.inf,
            dt=np.zeros(batch),
            ratio=np.zeros(batch),
            previous=np.ones((batch, 2)),
            grow=np.ones(batch, dtype=bool),
            stale=np.ones(batch, dtype=bool),
        )
