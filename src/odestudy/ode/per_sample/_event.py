"""Ends each sample where a function of its time and state changes its sign."""

import numpy as np
import torch
from torch import Tensor

from odestudy.ode._event import LEAVING, ROUNDINGS, EventFn, answers, turnovers
from odestudy.ode._event_gradient import NO_DERIVATIVE, ONCE
from odestudy.ode._refusal import differentiated_once, without_derivative
from odestudy.ode._status import Failure
from odestudy.ode.per_sample._field import SampleField, SampleProblem, download, for_samples, upload
from odestudy.ode.per_sample._observe import SampleStep

BISECTIONS = 53  # of theta in [0, 1], down to the rounding of float64


class SampleEvent:
    """Watches for the first sign change of any element of event_fn(t, y), t of shape [n], y [n, ...].

    `signs`, shape [B, elements], are those of the side that each element comes from, so that the least product
    of value and sign changes its sign first; 0 for one that is not watched yet, as it is zero at the start. `t`,
    shape [B], and `states` hold what was found: nan, and nothing, for samples without an event.
    """

    def __init__(self, event_fn: EventFn, problem: SampleProblem, t0: np.ndarray) -> None:
        self.event_fn, self.problem = event_fn, problem
        self.t = np.full(len(t0), np.nan)
        self.found: list[np.ndarray] = []
        self.states: list[Tensor] = []
        with torch.no_grad():
            values = self._values(np.arange(len(t0)), upload(t0, problem.y0.device), problem.y0)
            self.signs = torch.sign(values)
        self.begun = np.zeros(len(t0), dtype=bool)
        self._look()

    def _look(self) -> None:
        """Which samples have elements that are not watched yet."""
        self.waiting = (self.signs == 0).any(1).cpu().numpy()

    def _values(self, samples: np.ndarray, t: Tensor, y: Tensor) -> Tensor:
        """Shape [n, elements]."""
        function = self.event_fn
        if len(samples) < len(self.t):
            function = for_samples(function, upload(samples, y.device))
        values = answers(function(t.to(y.dtype), self.problem.restore(y)), y)
        if values.shape[:1] != y.shape[:1]:
            got = tuple(values.shape)
            raise ValueError(
                f"event_fn(t, y) gave {got}; in solve_batch its first dimension is y's, {len(y)}"
            )
        return values.reshape(len(y), values.shape[1:].numel())

    def least(self, samples: np.ndarray, t: Tensor, y: Tensor) -> Tensor:
        """The element nearest to its change of sign, shape [n], positive (or zero) at the start."""
        signs = self.signs[upload(samples, y.device)]
        products = self._values(samples, t, y) * signs
        return (torch.where(signs == 0, torch.inf, products) if self.waiting.any() else products).amin(1)

    @torch.no_grad()
    def watch(self, step: SampleStep, met: np.ndarray) -> np.ndarray:
        """Whether these accepted rows met their event, `met` as far as it is known, once their starts were looked at.

        Just behind the start elements show from which side they come where they are zero there, but for rounding.
        """
        samples = step.field.samples[step.rows]
        first = np.flatnonzero(~self.begun[samples] & (met | self.waiting[samples]))
        self.begun[samples] = True
        met = met.copy()
        if len(first):
            met[first] = self._begin(step.of(step.rows[first]))
        later = np.flatnonzero(self.waiting[samples] & ~met)
        if len(later):
            rows = upload(step.rows[later], step.y.device)
            y1 = step.attempt.y1.index_select(0, rows)
            self._side(
                samples[later], self._values(samples[later], upload(step.t1[step.rows[later]], y1.device), y1)
            )
        return met

    def _begin(self, step: SampleStep) -> np.ndarray:
        samples, start, size = step.field.samples, step.span.starts, step.t1 - step.span.starts
        every, device = np.arange(len(samples)), step.y.device

        def values(theta: np.ndarray) -> Tensor:
            return self._values(samples, upload(start + theta * size, device), step.states(every, theta))

        if self.waiting[samples].any():
            self._side(samples, values(np.full(len(samples), LEAVING)))
        scale = download(turnovers(step.y, step.attempt.y1))
        scale = np.maximum(np.maximum(np.abs(start / size), 1.0), scale)
        rounding = ROUNDINGS * torch.finfo(step.y.dtype).eps * scale
        seen, index = torch.sign(values(np.minimum(rounding, LEAVING))), upload(samples, device)
        end = upload(step.t1, device)
        crossed = (self.least(samples, end, step.attempt.y1) <= 0)[:, None]
        left = crossed & (seen * self.signs[index] < 0)
        self.signs[index] = torch.where(left, seen, self.signs[index])
        return ~(self.least(samples, end, step.attempt.y1) > 0).cpu().numpy()

    def _side(self, samples: np.ndarray, values: Tensor) -> None:
        """Watches these samples' elements, which were not watched, where they are not zero any more."""
        index = upload(samples, values.device)
        signs = self.signs[index]
        self.signs[index] = torch.where(signs == 0, torch.sign(values), signs)
        self._look()

    def accept(self, step: SampleStep, rows: np.ndarray) -> dict[int, Failure]:
        """Finds when these rows' signs changed within the step; the failures of those with no number there."""
        if not len(rows):
            return {}
        part = step.of(rows)
        theta = self._bisect(part)
        when = part.span.starts + theta * (part.t1 - part.span.starts)
        every, where = np.arange(len(rows)), upload(theta, part.y.device)
        if part.span.offset is not None:  # the event's time is fixed, the step moves with the first time
            where = where - part.span.offset / upload(part.t1 - part.span.starts, part.y.device)
        states = part.states(every, where)
        samples = part.field.samples
        with torch.no_grad():
            least = self.least(samples, upload(when, states.device), states)
            sound = (torch.isfinite(states).all(1) & ~least.isnan()).cpu().numpy()
        self.t[samples[sound]] = when[sound]
        self.found.append(samples[sound])
        self.states.append(states[upload(np.flatnonzero(sound), states.device)])
        text = "the state or event_fn is not finite at t = {:.9g}"
        return {int(samples[i]): Failure("non_finite", text.format(when[i])) for i in np.flatnonzero(~sound)}

    @torch.no_grad()
    def _bisect(self, step: SampleStep) -> np.ndarray:
        """theta at the far side of the sign change, one wait for the device at the end."""
        every, device = np.arange(len(step.y)), step.y.device
        t, size = upload(step.span.starts, device), upload(step.t1 - step.span.starts, device)
        low, high = torch.zeros_like(t), torch.ones_like(t)
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            before = self.least(step.field.samples, t + middle * size, step.states(every, middle)) > 0
            low, high = torch.where(before, middle, low), torch.where(before, high, middle)
        return high.cpu().numpy()

    def ends(self) -> Tensor:
        """The states at the events, shape [B, D]."""
        nothing = torch.full_like(self.problem.y0, torch.nan)
        if not self.found:
            return nothing
        samples = upload(np.concatenate(self.found), nothing.device)
        return nothing.index_copy(0, samples, torch.cat(self.states))

    def results(self, field: SampleField, ends: Tensor) -> tuple[Tensor, Tensor]:
        """Event times, float64 of shape [B], and states there, [B, D], each as a function of the other's causes.

        dt* = -dc / (dc/dt + dc/dy f) by the implicit function theorem, and the state moves with t* by f
        (Chen, Amos, Nickel 2021, arXiv 2011.03902, eq. 8). Costs one evaluation of f, where gradients are on.
        """
        times = upload(self.t.copy(), ends.device)
        met = np.flatnonzero(~np.isnan(self.t))
        if not len(met) or not torch.is_grad_enabled():
            return times, ends
        index = upload(met, ends.device)
        t, y = self._reroute(field.of(met), times[index], ends[index])
        return times.index_copy(0, index, t), ends.index_copy(0, index, y)

    def _reroute(self, field: SampleField, t: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        time, state = t.detach().clone().requires_grad_(), y.detach().clone().requires_grad_()
        least = self.least(field.samples, time, state)
        if not least.requires_grad:
            return t, without_derivative(y, NO_DERIVATIVE)
        slope = field(time.to(y.dtype), state).detach()
        along_t, along_y = torch.autograd.grad(
            least.sum(),
            (time, state),
            allow_unused=True,
            materialize_grads=True,
        )
        rate = along_t + (along_y * slope).sum(1)
        c = self.least(field.samples, t, y)  # depends on y, and on event_fn's own parameters
        shift = -(c - c.detach()) / torch.where(rate == 0, torch.full_like(rate, 1e-12), rate)
        shift = differentiated_once(shift, ONCE)
        return t + shift.to(t.dtype), y + slope * shift.to(y.dtype)[:, None]
