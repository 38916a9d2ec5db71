"""The exact discrete gradient with few states kept: each sample's accepted steps are replayed from checkpoints."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from odestudy.ode._control import Counter
from odestudy.ode._precision import as_like
from odestudy.ode._sources import Sources
from odestudy.ode._uses import Uses
from odestudy.ode.gradients._once import once
from odestudy.ode.per_sample._field import SampleField, upload
from odestudy.ode.per_sample._observe import SampleObservations, SampleStep
from odestudy.ode.per_sample._run import SampleRun
from odestudy.ode.per_sample._span import SampleSpan, attempt
from odestudy.ode.per_sample.gradients._tape import SampleTape


def checkpointed(run: SampleRun) -> Tensor:
    """The gradient of `backprop`, with memory for about 2 sqrt(steps) states of each sample.

    A sample's j-th accepted step is replayed together with the others' j-th, rejected ones not at all. Costs
    one forward solve more. Raises ValueError for unknown parameters. Source: Griewank, Walther 2000 (Revolve),
    with one level.
    """
    params, t = run.problem.needed_params(), run.times.tensor
    tape = SampleTape(np.zeros(len(run.problem.y0), dtype=np.int64))
    uses = Uses(params) if torch.is_grad_enabled() else None
    with torch.no_grad():
        ys = run.forward(tape, uses=uses)
    if uses is not None:
        run.generators = tuple(uses.generators.values())
    run.sources = params if uses is None else (*params, *uses.found.values())
    return _Checkpointed.apply(run, [ys], tape, run.problem.y0, t, *run.sources)


class _Checkpointed(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        run: SampleRun,
        states: list[Tensor],
        tape: SampleTape,
        y0: Tensor,
        t: Tensor,
        *params: Tensor,
    ) -> Tensor:
        ctx.run, ctx.table, ctx.counts, ctx.stride = run, tape.table(), tape.counts, tape.stride
        ctx.n_params = len(params)
        ctx.save_for_backward(*params, *tape.levels())
        return states[0]

    @staticmethod
    @once("checkpointed")
    def backward(ctx: Any, grad_ys: Tensor) -> tuple[Tensor | None, ...]:
        params, levels = ctx.saved_tensors[: ctx.n_params], ctx.saved_tensors[ctx.n_params :]
        replay = SampleReplay(ctx.run, params, ctx.table, ctx.counts, grad_ys)
        for i in range(len(levels) - 1, -1, -1):
            replay.segment(levels[i], i * ctx.stride, (i + 1) * ctx.stride)
            replay.sources.refuse_unseen(replay.guard)
        ctx.run.stats.status_backward = "ok"
        return None, None, None, replay.a + replay.at_start(), replay.grad_t(), *replay.grads


class SampleReplay:
    """Takes segments of steps again, last first, and carries the states' gradient `a` back through them."""

    def __init__(
        self,
        run: SampleRun,
        params: tuple[Tensor, ...],
        table: np.ndarray,
        counts: np.ndarray,
        grad_ys: Tensor,
    ) -> None:
        self.run, self.params, self.grad_ys = run, params, grad_ys
        (self.t, self.t1, self.dt), self.counts = table, counts
        self.a = torch.zeros_like(grad_ys[0])
        self.grads = [torch.zeros_like(p) for p in params]
        offsets = run.times.offsets
        self.grad_offsets = None if offsets is None else torch.zeros_like(offsets)
        self.counter, self.sources = Counter(run.stats, backward=True), Sources(run.problem.f, run.sources)
        self.problem, self.guard = replace(run.problem, f=self.sources.f), self.sources.guard()

    def segment(self, states: Tensor, start: int, stop: int) -> None:
        """Back through the steps from `start` to before `stop`, of the samples that took them."""
        samples = np.flatnonzero(self.counts > start)
        y0 = states.detach().requires_grad_()
        offsets = None
        if self.grad_offsets is not None:
            offsets = torch.zeros_like(self.grad_offsets).requires_grad_()
        with torch.enable_grad():
            y, arrived, seen = self._steps(y0, samples, start, stop, offsets)
        device = y.device
        outputs, gradients = [y], [self.a.index_select(0, upload(arrived, device))]
        for piece, (which, who) in zip(seen.pieces, seen.places, strict=True):
            outputs.append(piece)
            gradients.append(self.grad_ys[upload(which, device), upload(who, device)])
        inputs = (y0, *self.sources.tensors, *(() if offsets is None else (offsets,)))
        a, *rest = self.sources.gradients(outputs, inputs, gradients)
        self.a.index_copy_(0, upload(samples, device), a)
        for total, grad in zip(self.grads, rest, strict=False):
            total.add_(grad)
        if self.grad_offsets is not None:
            self.grad_offsets.add_(rest[-1])

    def _steps(
        self, y: Tensor, samples: np.ndarray, start: int, stop: int, offsets: Tensor | None
    ) -> tuple[Tensor, np.ndarray, SampleObservations]:
        """The states after the segment's last step, whose they are, and the observations on the way."""
        run, solver_state = self.run, None
        field = SampleField(self.problem, self.counter, [], samples, self.guard)
        seen = SampleObservations(run.times, offsets)
        passed = run.times.passed(samples, self.t[samples, start])
        seen.begin(samples, passed if start else np.ones_like(passed))
        for j in range(start, min(stop, self.t.shape[1])):
            going = np.flatnonzero(self.counts[samples] > j)
            if len(going) < len(samples):  # the others' last observation was their last step
                index = upload(going, y.device)
                y, solver_state = (
                    y.index_select(0, index),
                    None if solver_state is None else solver_state.index_select(0, index),
                )
                samples, field = samples[going], field.of(going)
            moved = None if offsets is None else offsets[upload(samples, y.device), 0]
            t, dt, t1 = (numbers[samples, j] for numbers in (self.t, self.dt, self.t1))
            span = SampleSpan(t, dt, t1, y, moved)
            if solver_state is None:
                solver_state = field(span.times((0.0,))[0], y)
            tried = attempt(run.stepper, field, span, y, solver_state)
            every = np.arange(len(samples))
            seen.accept(SampleStep(run.stepper, field, span, y, tried, t1, every))
            y, solver_state = tried.y1, tried.solver_state
        return y, samples, seen

    def at_start(self) -> Tensor:
        """The gradient of the observations that are the initial value itself, shape [B, D]."""
        times, total = self.run.times, self.grad_ys[0]
        for which in range(1, len(self.grad_ys) if times.at_rest.any() else 1):
            resting = upload(times.at_rest & (times.counts > which), total.device)
            total = total + torch.where(resting[:, None], self.grad_ys[which], 0)
        return total

    def grad_t(self) -> Tensor | None:
        """dL/dt, where t asks for it."""
        if self.grad_offsets is None:
            return None
        t = self.run.times.tensor
        grad = self.grad_offsets.new_zeros(len(self.a), t.shape[-1])
        known = 1 if self.run.event is not None else t.shape[-1]  # an event's time is none of t
        grad[:, :known] = self.grad_offsets[:, :known]
        return as_like(grad.sum(0) if t.ndim == 1 else grad, t)
