"""The adaptive loop with a step size for each sample: as the single one, on arrays, and fewer rows as it goes."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from odestudy.ode._adaptive import STRETCH
from odestudy.ode._control import Control
from odestudy.ode._controller import SMALLEST_RATIO
from odestudy.ode._diagnosis import details, diagnose, no_start
from odestudy.ode._explicit_rk import ExplicitRK
from odestudy.ode._status import Failure
from odestudy.ode._stepper import Attempt
from odestudy.ode._tolerance import Tolerance
from odestudy.ode.per_sample._control import finite_rows, first_steps, tolerance_of_rows
from odestudy.ode.per_sample._field import SampleField, upload
from odestudy.ode.per_sample._observe import SampleStep
from odestudy.ode.per_sample._span import SampleSpan


class SampleObserver(Protocol):
    """Sees each step that some samples accepted."""

    def accept(self, step: SampleStep) -> None: ...


@dataclass
class Rows:
    """The samples under way, one a row: host arrays of shape [n] steer, states of shape [n, D] are computed.

    `stale` marks the rows whose k1 is to be evaluated; `left` are the attempts that a sample still has.
    """

    field: SampleField
    tolerance: Tolerance
    y: Tensor
    k1: Tensor
    offset: Tensor | None
    t: np.ndarray
    end: np.ndarray
    dt: np.ndarray
    left: np.ndarray
    ratio: np.ndarray
    previous: np.ndarray
    grow: np.ndarray
    stale: np.ndarray

    def keep(self, mask: np.ndarray) -> None:
        """Drops the other rows, so that they cost nothing more."""
        if mask.all():
            return
        rows = np.flatnonzero(mask)
        for name in ("t", "end", "dt", "left", "ratio", "previous", "grow", "stale"):
            setattr(self, name, getattr(self, name)[rows])
        if not len(rows):
            return
        self.field = self.field.of(rows)
        index = upload(rows, self.y.device)
        self.tolerance = tolerance_of_rows(self.tolerance, index)
        self.y, self.k1 = self.y.index_select(0, index), self.k1.index_select(0, index)
        self.offset = None if self.offset is None else self.offset.index_select(0, index)

    def refresh(self) -> None:
        """Evaluates k1 where it is stale."""
        if not self.stale.any():
            return
        if self.stale.all():
            self.k1 = self.field(SampleSpan(self.t, self.dt, self.y, self.offset).times((0.0,))[0], self.y)
        else:
            rows = np.flatnonzero(self.stale)
            index = upload(rows, self.y.device)
            y = self.y.index_select(0, index)
            span = SampleSpan(self.t, self.dt, self.y, self.offset).of(rows, y)
            k1 = self.field.of(rows)(span.times((0.0,))[0], y)
            self.k1 = self.k1.index_copy(0, index, k1)
        self.stale[:] = False


class SampleLoop:
    """Drives an embedded pair; fills `accepted` and `rejected`, shape [B], and `failures`, by sample.

    One wait for the device a step: for the error ratios.
    """

    def __init__(
        self,
        stepper: ExplicitRK,
        control: Control,
        accepted: np.ndarray,
        rejected: np.ndarray,
        failures: dict[int, Failure],
    ) -> None:
        self.stepper, self.control = stepper, control
        self.accepted, self.rejected, self.failures = accepted, rejected, failures

    def run(self, rows: Rows, dt0: np.ndarray | None, observer: SampleObserver) -> None:
        """Takes every row to its end, or to its failure."""
        rows.keep(rows.t != rows.end)
        if not len(rows.t) or not self._start(rows, dt0):
            return
        while len(rows.t):
            size = np.clip(np.abs(rows.dt), self.control.dtmin, self.control.dtmax)
            left = rows.end - rows.t
            clipped = size * STRETCH >= np.abs(left)
            dt = np.where(clipped, left, np.copysign(size, left))
            if self._give_up(rows, dt, clipped):
                continue
            rows.left -= 1
            self._step(rows, dt, np.where(clipped, rows.end, rows.t + dt), clipped, observer)

    def _start(self, rows: Rows, dt0: np.ndarray | None) -> bool:
        """First slopes and step sizes; drops the samples whose start is not finite. False where none is left."""
        rows.refresh()
        good = finite_rows(rows.y.detach(), rows.k1.detach())
        for row in np.flatnonzero(~good):
            self.failures[int(rows.field.samples[row])] = no_start(float(rows.t[row]), rows.y[row])
        rows.keep(good)
        if not len(rows.t):
            return False
        if dt0 is not None:
            rows.dt = np.copysign(dt0[rows.field.samples], rows.end - rows.t)
        else:
            rows.dt = first_steps(
                rows.field,
                rows.t,
                rows.y,
                rows.k1,
                rows.end - rows.t,
                self.stepper.error_power,
                rows.tolerance,
            )
        return True

    def _give_up(self, rows: Rows, dt: np.ndarray, clipped: np.ndarray) -> bool:
        """Drops the samples that cannot go on; True where there are such."""
        tiny = ~clipped & (np.abs(dt) < 4 * np.spacing(np.abs(rows.t)))
        spent = rows.left == 0
        if not (tiny | spent).any():
            return False
        for row in np.flatnonzero(tiny | spent):
            self._fail(rows, int(row), "step_size_underflow" if tiny[row] else "max_steps", float(dt[row]))
        rows.keep(~(tiny | spent))
        return True

    def _step(
        self, rows: Rows, dt: np.ndarray, t1: np.ndarray, clipped: np.ndarray, observer: SampleObserver
    ) -> None:
        """One attempt of all rows; accepted ones move, and those at their end leave."""
        rows.refresh()
        span = SampleSpan(rows.t, dt, rows.y, rows.offset)
        attempt = self.stepper.step(rows.field, span, rows.y, rows.k1)
        with torch.no_grad():
            errors = self.stepper.errors(span.column, attempt)
            ratio = rows.tolerance.ratio(errors, rows.y, attempt.y1).double().cpu().numpy()
        accepted = ratio <= 1.0
        samples = rows.field.samples
        self.accepted[samples[accepted]] += 1
        self.rejected[samples[~accepted]] += 1
        stuck = self._next_dt(rows, dt, ratio, accepted, clipped)
        moved = np.flatnonzero(accepted)
        if len(moved):
            attempt, step = self._taken(rows, span, attempt, t1, moved, ratio)
            observer.accept(step)
            self._move(rows, attempt, accepted, t1)
        for row in np.flatnonzero(stuck):
            self._fail(rows, int(row), "step_size_underflow", float(dt[row]))
        rows.keep(~stuck & (rows.t != rows.end))

    def _next_dt(
        self, rows: Rows, dt: np.ndarray, ratio: np.ndarray, accepted: np.ndarray, clipped: np.ndarray
    ) -> np.ndarray:
        """Sets the next step sizes; True where a rejected step would only be repeated."""
        k = self.stepper.error_power
        wanted = dt * self.control.pid.factors(ratio, rows.previous, k, rows.grow & accepted)
        short = clipped & accepted & (np.abs(rows.dt) > np.abs(wanted))  # the end made it so, not its error
        rows.dt = np.where(short, rows.dt, wanted)
        shifted = np.stack([np.maximum(ratio, SMALLEST_RATIO), rows.previous[:, 0]], 1)
        rows.previous = np.where(accepted[:, None], shifted, rows.previous)
        rows.ratio, rows.grow = ratio, accepted
        return ~accepted & ((np.abs(dt) <= self.control.dtmin * STRETCH) | (rows.dt == dt))

    def _taken(
        self,
        rows: Rows,
        span: SampleSpan,
        attempt: Attempt,
        t1: np.ndarray,
        moved: np.ndarray,
        ratio: np.ndarray,
    ) -> tuple[Attempt, SampleStep]:
        """The attempt and what its accepted rows show; these are evaluated again alone if others overflowed.

        Otherwise back-propagation would multiply the zero gradient of an attempt thrown away by an infinite
        derivative.
        """
        if np.isfinite(ratio).all() or not attempt.y1.requires_grad:
            return attempt, SampleStep(self.stepper, rows.field, span, rows.y, attempt, t1, moved)
        index = upload(moved, rows.y.device)
        y, k1 = rows.y.index_select(0, index), rows.k1.index_select(0, index)
        part, field = span.of(moved, y), rows.field.of(moved)
        again = self.stepper.step(field, part, y, k1)
        step = SampleStep(self.stepper, field, part, y, again, t1[moved], np.arange(len(moved)))
        y1, last = (x.index_copy(0, index, new) for x, new in ((rows.y, again.y1), (rows.k1, again.ks[-1])))
        return Attempt(y1, [last], last if attempt.carry is not None else None, None), step

    def _move(self, rows: Rows, attempt: Attempt, accepted: np.ndarray, t1: np.ndarray) -> None:
        if accepted.all():
            rows.y = attempt.y1
            rows.k1 = rows.k1 if attempt.carry is None else attempt.carry
        else:
            mask = upload(accepted, rows.y.device)[:, None]
            rows.y = torch.where(mask, attempt.y1, rows.y)
            rows.k1 = rows.k1 if attempt.carry is None else torch.where(mask, attempt.carry, rows.k1)
        rows.t = np.where(accepted, t1, rows.t)
        if attempt.carry is None:
            rows.stale = rows.stale | accepted

    def _fail(self, rows: Rows, row: int, status: Any, dt: float) -> None:
        detail = details(status, self.control)
        self.failures[int(rows.field.samples[row])] = diagnose(
            status, float(rows.t[row]), dt, float(rows.ratio[row]), 0.0, "the state", rows.y[row], detail
        )
