"""The continuous adjoint by back-solve: y, a and the parameters' gradient in one ODE, backwards."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from odestudy.ode._control import Counter
from odestudy.ode._observer import Nothing
from odestudy.ode._run import Run, state_norms
from odestudy.ode.gradients._backsolve import augmented_slopes, back_solve, time_gradients, with_adjoint_norm
from odestudy.ode.gradients.backprop import forward


def adjoint(run: Run) -> Tensor:
    """Constant memory in the steps; gradient accurate to the backward tolerance (Chen et al. 2018, alg. 1).

    Raises SolveError in backward where the backward solve fails, and ValueError for unknown parameters.
    """
    return _Adjoint.apply(run, run.problem.y0, run.times.tensor, *run.needed_params())


class _Adjoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, run: Run, y0: Tensor, t: Tensor, *params: Tensor) -> Tensor:
        ys = forward(run)
        ctx.run = run
        ctx.save_for_backward(ys, *params)
        return ys

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_ys: Tensor) -> tuple[Tensor | None, ...]:
        run: Run = ctx.run
        ys, *params = ctx.saved_tensors
        counter = Counter(run.stats, backward=True)

        def augmented(t: Tensor, z: Tensor) -> Tensor:
            counter.evaluation()
            return torch.cat(augmented_slopes(run, tuple(params), t, z))

        tail = torch.cat([grad_ys.new_zeros(0), *(torch.zeros_like(p).reshape(-1) for p in params)])
        plan = with_adjoint_norm(run, state_norms(run, tuple(params)), tail.numel())
        a, tail = back_solve(run, plan, augmented, ys, grad_ys, Nothing(), tail)
        grad_t = time_gradients(run, ys, grad_ys, a - grad_ys[0])
        grads = tail.split([p.numel() for p in params])
        return None, a, grad_t, *(g.reshape(p.shape) for g, p in zip(grads, params, strict=True))
