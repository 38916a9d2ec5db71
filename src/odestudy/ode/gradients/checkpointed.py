"""The exact discrete gradient with few states kept: accepted steps are replayed from checkpoints."""

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._accepted import Accepted
from odestudy.ode._auto import resumed
from odestudy.ode._control import Counter
from odestudy.ode._counted import Counted
from odestudy.ode._diagnosis import unsolved
from odestudy.ode._draws import Draws, drawing_again, set_generators
from odestudy.ode._grid import ON_TIMES
from odestudy.ode._observer import Observations
from odestudy.ode._precision import as_like
from odestudy.ode._run import Run
from odestudy.ode._span import Span
from odestudy.ode._status import SolveError
from odestudy.ode.gradients._once import once
from odestudy.ode.gradients.backprop import solve_apart


def checkpointed(run: Run) -> Tensor:
    """The gradient of `backprop`, with memory for about 2 sqrt(steps) states and sqrt(steps) steps' stages.

    Costs one forward solve more. Raises ValueError for unknown parameters, and for multistep methods, whose
    steps can't be replayed from a state alone. Source: Griewank, Walther 2000 (Revolve), with one level.
    """
    if not run.plan.stepper.one_step:
        raise ValueError(f"gradient 'checkpointed' needs a one-step method, not {run.plan.stepper.name!r}")
    t, tape = run.times.tensor, Tape()
    if run.plan.grid is not None:
        tape.draws = Draws(run.problem.y0.device)
    ys, params = solve_apart(run, tape)
    return _Checkpointed.apply(run, [ys], tape, run.problem.y0, t, *params)


Numbers = tuple[float, float, float, bool, bool, float | None, str]


def numbers(step: Accepted) -> Numbers:
    """What an accepted step is taken again from: (t, t1, dt, after, before, limit, method)."""
    span = step.span
    return step.t, step.t1, float(span.dt), span.after, span.before, span.limit, step.attempt.method


@dataclass
class Tape:
    """The accepted steps as numbers, and every stride-th state; the stride grows with the solve.

    `draws` are the random numbers of fixed steps; adaptive ones cannot be taken again where f draws some.
    """

    spans: list[Numbers] = field(default_factory=list)
    states: list[Tensor] = field(default_factory=list)
    stride: int = 1
    draws: Draws | None = None

    def accept(self, step: Accepted) -> bool:
        """Writes the step down."""
        if len(self.spans) % self.stride == 0:
            self.states.append(step.y)
        self.spans.append(numbers(step))
        if len(self.states) > 2 * self.stride + 2:
            self.states, self.stride = self.states[::2], 2 * self.stride
        if self.draws is not None:
            self.draws.step_taken()
        return False


class _Checkpointed(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, run: Run, states: list[Tensor], tape: Tape, y0: Tensor, t: Tensor, *params: Tensor
    ) -> Tensor:
        ctx.run, ctx.spans, ctx.stride, ctx.draws = run, tape.spans, tape.stride, tape.draws
        ctx.save_for_backward(*params, *tape.states)
        ctx.n_params = len(params)
        return states[0]

    @staticmethod
    @once("checkpointed")
    def backward(ctx: Any, grad_ys: Tensor) -> tuple[Tensor | None, ...]:
        params, states = ctx.saved_tensors[: ctx.n_params], ctx.saved_tensors[ctx.n_params :]
        replay = Replay(ctx.run, params, ctx.spans, grad_ys)
        draws = ctx.draws
        with nullcontext() if draws is None or not draws.random else drawing_again(grad_ys.device):
            replay.draws = draws
            for i in range(len(states) - 1, -1, -1):
                replay.segment(states[i], i * ctx.stride, (i + 1) * ctx.stride)
                replay.sources.refuse_unseen(replay.guard)
        ctx.run.stats.status_backward = "ok"
        return None, None, None, replay.a + grad_ys[0], replay.grad_t(), *replay.grads


class Replay:
    """Takes segments of steps again, last first, and carries the state's gradient `a` back through them.

    `a_solver_state` is that of what the steps hand on beside the state, where a segment is given it.
    """

    def __init__(self, run: Run, params: tuple[Tensor, ...], spans: list[Numbers], grad_ys: Tensor) -> None:
        self.run, self.params, self.spans, self.grad_ys = run, params, spans, grad_ys
        self.a = torch.zeros_like(grad_ys[0])
        self.a_solver_state: list[Tensor] = []
        self.grads = [torch.zeros_like(p) for p in params]
        self.sources = run.made_sources()
        self.guard = self.sources.guard()
        self.f = Counted(self.sources.f, Counter(run.stats, backward=True), self.guard)
        self.draws: Draws | None = None
        self.wants_t = run.times.offsets is not None
        self.grad_offsets = torch.zeros_like(run.times.offsets) if run.times.offsets is not None else None

    def segment(self, state: Tensor, start: int, stop: int, solver_state: tuple[Tensor, ...] = ()) -> None:
        """Back through the steps from `start` to before `stop`, which begin at `state` with this solver state."""
        offsets = None
        if self.run.times.offsets is not None:
            offsets = torch.zeros_like(self.run.times.offsets).requires_grad_()
        y0, *held = (x.detach().requires_grad_() for x in (state, *solver_state))
        with torch.enable_grad():
            y, ending, seen, first = self._steps(y0, tuple(held), self.spans[start:stop], start, offsets)
            outputs, gradients = [y], [self.a]
            if self.a_solver_state:
                outputs.extend(ending)
                gradients.extend(self.a_solver_state)
            if seen.seen > first:
                outputs.append(seen.states(complete=False))
                gradients.append(self.grad_ys[first : seen.seen])
        inputs = (y0, *held, *self.sources.tensors, *(() if offsets is None else (offsets,)))
        self.a, *rest = self.sources.gradients(outputs, inputs, gradients)
        self.a_solver_state, rest = rest[: len(held)], rest[len(held) :]
        for total, grad in zip(self.grads, rest, strict=False):
            total.add_(grad)
        if self.grad_offsets is not None:
            self.grad_offsets.add_(rest[-1])

    def _steps(
        self, y: Tensor, held: tuple[Tensor, ...], spans: list[Numbers], start: int, offsets: Tensor | None
    ) -> tuple[Tensor, Any, Observations, int]:
        times, plan, solver_state = self.run.times, self.run.plan, held or None
        sign = 1.0 if times.values[-1] >= times.values[0] else -1.0
        first = sum(1 for v in times.values if sign * v <= sign * spans[0][0])
        seen = Observations(times.values, offsets, aligned=plan.grid is ON_TIMES, seen=max(first, 1))
        moved = self._moved(offsets)
        for i, (t, t1, dt, after, before, limit, method) in enumerate(spans, start=start):
            span = Span(t, dt, y, after=after, before=before, limit=limit)
            if moved is not None:
                span.t = moved[i] + t
                span.dt = dt if plan.grid is None else moved[i + 1] - moved[i] + dt
            if self.draws is not None and self.draws.random:
                set_generators(self.draws.states[i], y.device)
            attempt = plan.stepper.step(self.f, span, y, resumed(plan.stepper, method, solver_state))
            if attempt.status is not None:
                raise SolveError(unsolved(attempt.status, t, dt, y))
            seen.accept(Accepted(self.f, plan.stepper, span, t, t1, y, attempt))
            y, solver_state = attempt.y1, None if before else attempt.solver_state
        return y, solver_state, seen, max(first, 1)

    def _moved(self, offsets: Tensor | None) -> Tensor | None:
        """The gradient carriers of the steps' ends."""
        if offsets is None:
            return None
        if self.run.plan.grid is None:
            return offsets[:1].expand(len(self.spans) + 1)
        points, times = [span[0] for span in self.spans] + [self.spans[-1][1]], self.run.times.values
        if points[-1] == times[-1]:
            return self.run.plan.grid.offsets(points, times, offsets)
        if self.run.plan.grid is ON_TIMES:
            return offsets[: len(points)]
        return self.run.plan.grid.offsets([*points, times[-1]], times, offsets)

    def grad_t(self) -> Tensor | None:
        """dL/dt, where t asks for it."""
        if self.grad_offsets is None:
            return None
        grad = self.grad_offsets
        if self.run.event is not None:
            grad = torch.cat([grad[:1], torch.zeros_like(grad[1:])])
        return as_like(grad, self.run.times.tensor)
