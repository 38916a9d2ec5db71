"""The exact discrete gradient of a reversible method: its steps are taken back, and no state is kept."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._accepted import Accepted
from odestudy.ode._reversible_heun import ReversibleHeun
from odestudy.ode._reversible_rk import ReversibleRK, SolverState
from odestudy.ode._run import Run
from odestudy.ode._span import Span
from odestudy.ode.gradients._once import once
from odestudy.ode.gradients.backprop import solve_apart
from odestudy.ode.gradients.checkpointed import Numbers, Replay, numbers


def reversible(run: Run) -> Tensor:
    """The gradient of `backprop` to rounding, with memory for one step's states, however many steps.

    (Of each step a few floats are kept on the host.) In backward each step costs as many evaluations as in the
    forward solve to go back, and as many with their vector-Jacobian products. The rounding that is so added
    grows as the method's own errors do: see ReversibleHeun and ReversibleRK. Raises ValueError for unknown parameters, for a method that is not reversible, and for
    jump_t, where the method starts afresh. Source: Kidger et al. 2021 (arXiv 2105.13493), algorithm 2.
    """
    if not isinstance(run.plan.stepper, ReversibleHeun | ReversibleRK):
        raise ValueError(
            "gradient 'reversible' needs a reversible method (reversible_heun, reversible_rk4, "
            f"reversible_dopri5), not {run.plan.stepper.name!r}"
        )
    if run.plan.control.jump_t:
        raise ValueError(
            "gradient 'reversible' takes no jump_t: a method that starts afresh loses its way back"
        )
    t, trail = run.times.tensor, Trail()
    ys, params = solve_apart(run, trail)
    return _Reversible.apply(run, [ys], trail, run.problem.y0, t, *params)


@dataclass
class Trail:
    """The accepted steps as numbers, and where the last of them ended."""

    spans: list[Numbers] = field(default_factory=list)
    end: tuple[Tensor, ...] = ()

    def accept(self, step: Accepted) -> bool:
        """Writes the step down."""
        self.spans.append(numbers(step))
        self.end = (step.y1, *step.attempt.solver_state)
        return False


class _Reversible(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, run: Run, states: list[Tensor], trail: Trail, y0: Tensor, t: Tensor, *params: Tensor
    ) -> Tensor:
        ctx.run, ctx.spans, ctx.n_params = run, trail.spans, len(params)
        ctx.save_for_backward(*params, y0, *trail.end)
        return states[0]

    @staticmethod
    @once("reversible")
    def backward(ctx: Any, grad_ys: Tensor) -> tuple[Tensor | None, ...]:
        params, (y0, *end) = ctx.saved_tensors[: ctx.n_params], ctx.saved_tensors[ctx.n_params :]
        replay = Replay(ctx.run, params, ctx.spans, grad_ys)
        stepper = ctx.run.plan.stepper
        if ctx.spans:
            y, *solver_state = end
            for i in range(len(ctx.spans) - 1, 0, -1):
                y, solver_state = _back(stepper, replay, i, y, tuple(solver_state))
                replay.segment(y, i, i + 1, solver_state)
                replay.sources.refuse_unseen(replay.guard)
            replay.segment(y0, 0, 1)
        ctx.run.stats.status_backward = "ok"
        return None, None, None, replay.a + grad_ys[0], replay.grad_t(), *replay.grads


def _back(
    stepper: Any, replay: Replay, i: int, y: Tensor, solver_state: SolverState
) -> tuple[Tensor, SolverState]:
    t, _, dt, after, before, limit, _ = replay.spans[i]
    span = Span(t, dt, y, after=after, before=before, limit=limit)
    return stepper.reverse(replay.f, span, y, solver_state)
