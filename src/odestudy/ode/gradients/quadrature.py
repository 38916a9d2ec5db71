"""The adjoint with the parameters' integral out of the ODE's state, by quadrature on the accepted steps."""

from typing import Any

import torch
from torch import Tensor

from odestudy.ode._accepted import Accepted
from odestudy.ode._control import Counter
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


def quadrature(run: Run) -> Tensor:
    """dL/dparams = integral of a df/dparams, at the solver's own nodes and weights (Chen et al. 2018, eq. 5).

    z and a are solved again backwards, so that memory is constant in the steps; neither the error norm nor
    the solver's arithmetic sees the parameters. The rule is as accurate as the method that solves for z and
    a. Raises as `adjoint`; ValueError for a method without weights (implicit, Adams, scipy).
    """
    if run.backward_plan.stepper.weights is None:
        raise ValueError(
            f"gradient 'quadrature' needs an explicit Runge-Kutta method, not {run.backward_plan.stepper.name!r}"
        )
    t = run.times.tensor
    ys, params = solve_apart(run)
    return _Quadrature.apply(run, [ys], run.problem.y0, t, *real(params))


class _Quadrature(Solved):
    @staticmethod
    @once("quadrature")
    def backward(ctx: Any, grad_ys: Tensor) -> tuple[Tensor | None, ...]:
        run: Run = ctx.run
        ys, *params = ctx.saved_tensors
        integral = Integral(run, tuple(params))
        plan = with_adjoint_norm(run, state_norms(run, ()), 0)
        a, _ = back_solve(run, plan, integral.field, ys, grad_ys, integral, grad_ys.new_zeros(0))
        grad_t = time_gradients(run, ys, grad_ys, a - grad_ys[0])
        grads = integral.total.split([p.numel() for p in params])
        return None, None, a, grad_t, *(g.reshape(p.shape) for g, p in zip(grads, params, strict=True))


class Integral:
    """Sums dt b_i (-a_i df/dparams) over the accepted steps' stages, as the solver evaluates them."""

    def __init__(self, run: Run, params: tuple[Tensor, ...]) -> None:
        self.run, self.params, self.n = run, params, run.problem.y0.numel()
        self.counter, self.sources = Counter(run.stats, backward=True), run.made_sources()
        self.total = torch.cat(
            [run.problem.y0.new_zeros(0), *(torch.zeros_like(p).reshape(-1) for p in params)]
        )
        self.slopes: dict[int, tuple[Tensor, Tensor]] = {}  # by the identity of the stage they belong to

    def field(self, t: Tensor, z: Tensor) -> Tensor:
        """d/dt (y, a), the parameters' slope set aside."""
        self.counter.evaluation()
        dy, da, *rest = augmented_slopes(self.run, self.sources, t, z)
        dz = torch.cat([dy, da])
        self.slopes[id(dz)] = (dz, torch.cat([self.total.new_zeros(0), *rest]))
        return dz

    def accept(self, step: Accepted) -> bool:
        """Adds the step's share; keeps only the slope that the next step starts from."""
        for i, weight in step.stepper.weights or ():
            self.total.add_(self.slopes[id(step.attempt.ks[i])][1], alpha=weight * float(step.span.dt))
        last = self.slopes.get(id(step.attempt.solver_state))
        self.slopes = {} if last is None else {id(last[0]): last}
        return False
