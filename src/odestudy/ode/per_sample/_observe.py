"""The states at each sample's observation times."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from odestudy.ode._explicit_rk import ExplicitRK
from odestudy.ode._stepper import StepResult
from odestudy.ode.per_sample._field import SampleField, upload
from odestudy.ode.per_sample._save import Kept, arranged
from odestudy.ode.per_sample._span import SampleSpan, ScaledSlopes, attempt_of, states_within
from odestudy.ode.per_sample._times import SampleTimes


@dataclass(frozen=True)
class SampleStep:
    """An attempted step of some samples, of which those in `rows` were accepted; t1 is where they are then."""

    stepper: ExplicitRK
    field: SampleField
    span: SampleSpan
    y: Tensor
    attempt: StepResult
    t1: np.ndarray
    rows: np.ndarray

    def states(self, rows: np.ndarray, theta: np.ndarray | Tensor) -> Tensor:
        """States at t + theta dt for pairs of a row and a theta, shape [m, D]; missing stages are evaluated."""
        if self.stepper.extra and len(self.attempt.ks) == len(self.stepper.nodes):
            some, places = np.unique(rows, return_inverse=True)
            return self.of(some).states(places, theta)
        if isinstance(theta, Tensor):
            weights = self.stepper.weights_at(theta)
        else:
            p = np.array(self.stepper.tableau.dense.p).T
            weights = upload((theta[:, None] ** np.arange(1, len(p) + 1)) @ p, self.y.device)
        return states_within(weights, self.y, self.attempt.ks, upload(rows, self.y.device))

    def of(self, rows: np.ndarray) -> "SampleStep":
        """These rows alone, with all stages that interpolation needs."""
        index = upload(rows, self.y.device)
        y, attempt = self.y.index_select(0, index), attempt_of(self.attempt, index)
        span, field = self.span.of(rows, y), self.field.of(rows)
        self.stepper.complete(ScaledSlopes(field, span), span, y, attempt)
        return SampleStep(self.stepper, field, span, y, attempt, self.t1[rows], np.arange(len(rows)))


class SampleObservations:
    """Collects the states at the times, or what is kept of them, all those in one step together.

    `seen` counts each sample's.
    """

    def __init__(self, times: SampleTimes, offsets: Tensor | None, kept: Kept | None = None) -> None:
        self.times, self.offsets, self.kept = times, offsets, kept
        self.seen = np.zeros(len(times.values), dtype=np.int64)
        self.upcoming = np.full(len(times.values), np.inf)
        self.pieces: list[Any] = []
        self.places: list[tuple[np.ndarray, np.ndarray]] = []  # (observations, samples) of each piece

    def start(self, y0: Tensor) -> None:
        """Adds everyone's first observation, the initial value."""
        everyone = np.arange(len(self.seen))
        self._add(y0, np.zeros_like(everyone), everyone)
        self.begin(everyone, np.ones_like(everyone))
        for which in range(1, int(self.times.counts[self.times.at_rest].max(initial=1))):
            resting = np.flatnonzero(self.times.at_rest & (self.times.counts > which))
            self._add(y0[upload(resting, y0.device)], np.full_like(resting, which), resting)

    def begin(self, samples: np.ndarray, seen: np.ndarray) -> None:
        """These samples have so many observations behind them."""
        self.seen[samples] = seen
        self.upcoming[samples] = self.times.ordered[samples, seen]

    def accept(self, step: SampleStep) -> None:
        """Adds the observations that the accepted samples passed."""
        samples = step.field.samples[step.rows]
        due = np.flatnonzero(self.upcoming[samples] <= step.t1[step.rows] * self.times.signs[samples])
        if not len(due):
            return
        samples, rows = samples[due], step.rows[due]
        before, reached = self.seen[samples], self.times.passed(samples, step.t1[rows])
        self.begin(samples, reached)
        new = reached - before
        which = np.arange(new.sum()) - np.repeat(np.cumsum(new) - reached, new)
        rows, who = np.repeat(rows, new), np.repeat(samples, new)
        at_end = (self.times.values[who, which] == step.t1[rows]) & (self.offsets is None)
        if not step.stepper.extra and not at_end.all():
            at_end[:] = False  # they cost no evaluation more among the others
        if at_end.any():
            ends = upload(rows[at_end], step.y.device)
            self._add(step.attempt.y1.index_select(0, ends), which[at_end], who[at_end])
        if not at_end.all():
            rows, which, who = rows[~at_end], which[~at_end], who[~at_end]
            self._add(step.states(rows, self._theta(step, rows, which, who)), which, who)

    def _theta(
        self, step: SampleStep, rows: np.ndarray, which: np.ndarray, who: np.ndarray
    ) -> np.ndarray | Tensor:
        start, size = step.span.starts[rows], step.t1[rows] - step.span.starts[rows]
        theta = (self.times.values[who, which] - start) / size
        if self.offsets is None:
            return theta
        device = step.y.device
        offsets = self.offsets[upload(who, device)]  # with the first of them the whole grid of steps moves
        moved = offsets.gather(1, upload(which, device)[:, None])[:, 0] - offsets[:, 0]
        return upload(theta, device) + moved / upload(size, device)

    def _add(self, piece: Tensor, which: np.ndarray, who: np.ndarray) -> None:
        if self.kept is not None:
            piece = self.kept(who, self.times.values[who, which], piece)
        self.pieces.append(piece)
        self.places.append((which, who))

    def states(self) -> Any:
        """Shape [T, B, D], or what was kept; nan where a sample has no such observation or did not get to it."""
        batch, most = self.times.values.shape
        return arranged(self.pieces, self.places, (most, batch))
