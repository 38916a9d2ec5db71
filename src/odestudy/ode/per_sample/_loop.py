"""The adaptive loop with a step size for each sample: as the single one, on arrays, and fewer rows as it goes."""

from typing import Any, Protocol

import numpy as np
import torch

from odestudy.ode._adaptive import STRETCH
from odestudy.ode._control import Control
from odestudy.ode._controller import SMALLEST_RATIO
from odestudy.ode._diagnosis import details, diagnose, no_event, no_start
from odestudy.ode._explicit_rk import ExplicitRK
from odestudy.ode._precision import wide
from odestudy.ode._status import Failure
from odestudy.ode._stepper import StepResult
from odestudy.ode.per_sample._control import finite_rows, first_steps
from odestudy.ode.per_sample._event import SampleEvent
from odestudy.ode.per_sample._field import download, upload
from odestudy.ode.per_sample._observe import SampleStep
from odestudy.ode.per_sample._rows import Rows
from odestudy.ode.per_sample._span import SampleSpan, ScaledSlopes, attempt

NOT_MET = np.zeros(1, dtype=bool)  # for any number of rows


class SampleObserver(Protocol):
    """Sees each step that some samples accepted."""

    def accept(self, step: SampleStep) -> None: ...


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
        event: SampleEvent | None = None,
    ) -> None:
        self.stepper, self.control, self.event = stepper, control, event
        self.accepted, self.rejected, self.failures = accepted, rejected, failures

    @np.errstate(over="ignore")  # a step size that outgrows the numbers is a wait for an event without end
    def run(self, rows: Rows, dt0: np.ndarray | None, observer: SampleObserver) -> None:
        """Takes every row to its end, or to its failure."""
        rows.keep(rows.t != rows.end)
        if not len(rows.t) or not self._start(rows, dt0):
            return
        steps = 0  # as many attempts for each sample that is still under way
        while len(rows.t):
            size = np.minimum(np.maximum(np.abs(rows.dt), self.control.dtmin), self.control.dtmax)
            left = rows.end - rows.t
            clipped = size * STRETCH >= np.abs(left)
            dt = np.where(clipped, left, np.copysign(size, left))
            t1 = np.where(clipped, rows.end, rows.t + dt)
            if self._give_up(rows, dt, t1, clipped, steps == self.control.max_steps):
                continue
            steps += 1
            self._step(rows, dt, t1, clipped, observer)

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

    def _give_up(self, rows: Rows, dt: np.ndarray, t1: np.ndarray, clipped: np.ndarray, spent: bool) -> bool:
        """Drops the samples that cannot go on; True where there are such."""
        tiny = ~clipped & (np.abs(dt) < 4 * np.spacing(np.abs(rows.t)))
        endless = np.isinf(t1)  # an event that never comes was waited for
        leaving = tiny | endless | spent
        if not leaving.any():
            return False
        for row in np.flatnonzero(leaving):
            if endless[row]:
                self.failures[int(rows.field.samples[row])] = no_event(float(rows.t[row]))
            else:
                self._fail(
                    rows, int(row), "step_size_underflow" if tiny[row] else "max_steps", float(dt[row])
                )
        rows.keep(~leaving)
        return True

    def _step(
        self, rows: Rows, dt: np.ndarray, t1: np.ndarray, clipped: np.ndarray, observer: SampleObserver
    ) -> None:
        """One attempt of all rows; accepted ones move, and those at their end leave."""
        rows.refresh()
        span = SampleSpan(rows.t, dt, t1, rows.y, rows.offset)
        tried = attempt(self.stepper, rows.field, span, rows.y, rows.k1)
        ratio, met = self._judge(rows, tried, t1)
        accepted = ratio <= 1.0
        moved, samples = np.flatnonzero(accepted), rows.field.samples
        self.accepted[samples] += accepted
        self._next_dt(rows, dt, ratio, accepted, clipped)
        done = np.zeros_like(accepted)
        if len(moved):
            tried, step = self._taken(rows, span, tried, t1, moved, ratio)
            observer.accept(step)
            if self.event is not None:
                met[moved] = self.event.watch(step, met[moved])
                done = accepted & met
                self.failures |= self.event.accept(step, step.rows[met[moved]])
            self._move(rows, tried, accepted, t1)
        if len(moved) < len(accepted):
            self.rejected[samples] += ~accepted
            # A rejected step that would only be repeated ends its sample.
            stuck = ~accepted & ((np.abs(dt) <= self.control.dtmin * STRETCH) | (rows.dt == dt))
            for row in np.flatnonzero(stuck):
                self._fail(rows, int(row), "step_size_underflow", float(dt[row]))
            done |= stuck
        rows.keep(~done & (rows.t != rows.end))

    @torch.no_grad()
    def _judge(self, rows: Rows, tried: StepResult, t1: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each row's error ratio, and whether its event is behind it (or event_fn is no number)."""
        ratio = rows.tolerance.ratio(self.stepper.errors(1.0, tried), rows.y, tried.y1)
        if self.event is None:
            return download(ratio), NOT_MET
        least = self.event.least(rows.field.samples, upload(t1, ratio.device), tried.y1)
        precise = wide(ratio.device)
        both = download(torch.stack([ratio.to(precise), least.to(precise)]))
        return both[0], ~(both[1] > 0)

    def _next_dt(
        self, rows: Rows, dt: np.ndarray, ratio: np.ndarray, accepted: np.ndarray, clipped: np.ndarray
    ) -> None:
        k, pid = self.stepper.error_power, self.control.pid
        wanted = dt * pid.factors(ratio, rows.previous, k, rows.grow & accepted)
        short = clipped & accepted & (np.abs(rows.dt) > np.abs(wanted))  # the end made it so, not its error
        rows.dt = np.where(short, rows.dt, wanted)
        rows.previous[accepted, 1] = rows.previous[accepted, 0]
        rows.previous[accepted, 0] = np.maximum(ratio[accepted], SMALLEST_RATIO)
        rows.ratio, rows.grow = ratio, accepted

    def _taken(
        self,
        rows: Rows,
        span: SampleSpan,
        tried: StepResult,
        t1: np.ndarray,
        moved: np.ndarray,
        ratio: np.ndarray,
    ) -> tuple[StepResult, SampleStep]:
        """The attempt and what its accepted rows show; these are evaluated again alone if others overflowed.

        Otherwise back-propagation would multiply the zero gradient of an attempt thrown away by an infinite
        derivative.
        """
        if np.isfinite(ratio).all() or not tried.y1.requires_grad:
            return tried, SampleStep(self.stepper, rows.field, span, rows.y, tried, t1, moved)
        index = upload(moved, rows.y.device)
        y, k1 = rows.y.index_select(0, index), rows.k1.index_select(0, index)
        part, field = span.of(moved, y), rows.field.of(moved)
        again = attempt(self.stepper, field, part, y, k1)
        step = SampleStep(self.stepper, field, part, y, again, t1[moved], np.arange(len(moved)))
        solver_state = (
            None if again.solver_state is None else rows.k1.index_copy(0, index, again.solver_state)
        )
        return StepResult(rows.y.index_copy(0, index, again.y1), [], solver_state, None), step

    def _move(self, rows: Rows, taken: StepResult, accepted: np.ndarray, t1: np.ndarray) -> None:
        if accepted.all():
            rows.y = taken.y1
            rows.k1 = rows.k1 if taken.solver_state is None else taken.solver_state
        else:
            mask = upload(accepted, rows.y.device)[:, None]
            rows.y = torch.where(mask, taken.y1, rows.y)
            rows.k1 = (
                rows.k1 if taken.solver_state is None else torch.where(mask, taken.solver_state, rows.k1)
            )
        rows.t = np.where(accepted, t1, rows.t)
        if taken.solver_state is None:
            rows.stale = rows.stale | accepted

    @torch.no_grad()
    def _fail(self, rows: Rows, row: int, status: Any, dt: float) -> None:
        """Notes why this row cannot go on; its step is tried once more, to see whether it is stiff there."""
        one, y = np.array([row]), rows.y[row : row + 1]
        t, size = rows.t[one], np.array([dt])
        span = SampleSpan(t, size, t + size, y)
        found = self.stepper.stiffness(
            self.stepper.step(ScaledSlopes(rows.field.of(one), span), span, y, None)
        )
        self.failures[int(rows.field.samples[row])] = diagnose(
            status,
            float(rows.t[row]),
            dt,
            float(rows.ratio[row]),
            0.0 if found is None else float(found),
            "the state",
            y,
            details(status, self.control),
        )
