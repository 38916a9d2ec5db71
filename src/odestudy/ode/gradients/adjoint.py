"""The continuous adjoint by back-solve: y, a and the parameters' gradient in one ODE, backwards."""

from typing import Any

import torch
from torch import Tensor

from odestudy.ode._control import Counter
from odestudy.ode._observer import Nothing
from odestudy.ode._run import Run, state_norms
from odestudy.ode.gradients._backsolve import (
    Solved,
    augmented_slopes,
    back_solve,
    real,
    time_gradients,
    with_adjoint_norm,
)
from odestudy.ode.gradients._once import once
from odestudy.ode.gradients.backprop import solve_apart


def adjoint(run: Run) -> Tensor:
    """Constant memory in the steps; gradient accurate to the backward tolerance (Chen et al. 2018, alg. 1).

    It solves the state backwards from ys[-1], and an error there grows as far as states converge forwards. So it
    needs exp(contraction) rtol well below one, where the contraction is at most the Lipschitz constant of f times
    the horizon: a linear mode that decays by more than ln(1/rtol) is lost. On an attractor, such as Van der Pol's
    limit cycle, a lost state leaves it on one side or the other. Outwards it is beyond all bounds in finite time,
    and backward raises SolveError, "step_size_underflow"; inwards backward finishes, with a wrong gradient and no
    word. Which of them is decided by the last digits of ys[-1], so another library with the same tolerances, or
    the next tolerance, may do the other, and that backward finished proves nothing. A tighter rtol postpones it;
    the seminorm and the step control do not matter. Gradients 'backprop' and 'checkpointed' solve nothing
    backwards.

    Raises SolveError in backward where the backward solve fails, and ValueError for unknown parameters.
    """
    t = run.times.tensor
    ys, params = solve_apart(run)
    return _Adjoint.apply(run, [ys], run.problem.y0, t, *real(params))


class _Adjoint(Solved):
    @staticmethod
    @once("adjoint")
    def backward(ctx: Any, grad_ys: Tensor) -> tuple[Tensor | None, ...]:
        run: Run = ctx.run
        ys, *params = ctx.saved_tensors
        counter, sources = Counter(run.stats, backward=True), run.made_sources()

        def augmented(t: Tensor, z: Tensor) -> Tensor:
            counter.evaluation()
            return torch.cat(augmented_slopes(run, sources, t, z))

        tail = torch.cat([grad_ys.new_zeros(0), *(torch.zeros_like(p).reshape(-1) for p in params)])
        plan = with_adjoint_norm(run, state_norms(run, tuple(params)), tail.numel())
        a, tail = back_solve(run, plan, augmented, ys, grad_ys, Nothing(), tail)
        grad_t = time_gradients(run, ys, grad_ys, a - grad_ys[0])
        grads = tail.split([p.numel() for p in params])
        return None, None, a, grad_t, *(g.reshape(p.shape) for g, p in zip(grads, params, strict=True))
