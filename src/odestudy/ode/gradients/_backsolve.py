"""What the continuous adjoints share: from the last observation back to the first, segment by segment."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._adaptive import LoopState
from odestudy.ode._control import Counter
from odestudy.ode._norms import Norm
from odestudy.ode._observer import Observer
from odestudy.ode._plan import Plan
from odestudy.ode._precision import as_like
from odestudy.ode._run import Run
from odestudy.ode._sources import Sources
from odestudy.ode._status import Failure, SolveError
from odestudy.ode._step import VectorField
from odestudy.ode.gradients._implicit import for_adjoint


class Solved(torch.autograd.Function):
    """The states of a solve without a graph, given one: `backward` is that of the gradient that is made of it."""

    @staticmethod
    def forward(ctx: Any, run: Run, states: list[Tensor], y0: Tensor, t: Tensor, *params: Tensor) -> Tensor:
        ys, ctx.run = states[0], run
        ctx.save_for_backward(ys, *params)
        return ys


def real(params: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The parameters, which the adjoint's real state can hold; raises ValueError for complex ones."""
    if any(p.is_complex() for p in params):
        raise ValueError(
            "this gradient has no room for complex parameters: take gradient 'backprop' or 'checkpointed', or "
            "torch.view_as_real(parameter) as the parameter"
        )
    return params


def augmented_slopes(run: Run, sources: Sources, t: Tensor, z: Tensor) -> list[Tensor]:
    """(f, -a df/dy, -a df/dparams...), each flat, for the flat state z that starts with (y, a).

    Source: Chen et al. 2018 (arXiv 1806.07366), eqs. 4, 5 and 51.
    """
    shape, n = run.problem.y0.shape, run.problem.y0.numel()
    y = z[:n].detach().reshape(shape).requires_grad_()
    with torch.enable_grad():
        dy = sources.f(t, y)
    sources.look(dy, t, y)
    params = sources.tensors
    minus_a = z[n : 2 * n].reshape(shape).neg()
    if not dy.requires_grad:
        return [
            dy.reshape(-1),
            torch.zeros_like(minus_a).reshape(-1),
            *(torch.zeros_like(p).reshape(-1) for p in params),
        ]
    grads = sources.gradients(dy, (y, *params), minus_a)
    return [dy.detach().reshape(-1), *(g.reshape(-1) for g in grads)]


def back_solve(
    run: Run, plan: Plan, f: VectorField, ys: Tensor, grad_ys: Tensor, observer: Observer, tail: Tensor
) -> tuple[Tensor, Tensor]:
    """(dL/dy0, the tail of the state at t0) for the flat state (y, a, tail), with da/dt = -a df/dy.

    At each observation time a jumps by dL/dy_i, and y is set to what the forward solve found there. The
    step size is carried over. Raises SolveError. Source: Chen et al. 2018, algorithm 1 and appendix C.
    """
    counter, n = Counter(run.stats, backward=True), run.problem.y0.numel()
    flat_ys, flat_grads = ys.reshape(len(ys), -1), grad_ys.reshape(len(ys), -1)
    a = flat_grads[-1]
    now: LoopState | None = None
    times = run.times.values
    for i in range(len(times) - 1, 0, -1):
        z = torch.cat([flat_ys[i], a, tail])
        now, failure = plan.integrate(f, z, (times[i], times[i - 1]), observer, counter, previous=now)
        if failure is None and plan.grid is not None and not bool(torch.isfinite(now.y).all()):
            failure = Failure("non_finite", f"the adjoint is not finite at t = {times[i - 1]:.9g}")
        if failure is not None:
            run.stats.status_backward = failure.status
            raise SolveError(failure)
        a, tail = now.y[n : 2 * n] + flat_grads[i - 1], now.y[2 * n :]
    run.stats.status_backward = "ok"
    return a.reshape(run.problem.y0.shape), tail


def time_gradients(run: Run, ys: Tensor, grad_ys: Tensor, grad_y0: Tensor) -> Tensor | None:
    """dL/dt_i = dL/dy_i . f(t_i, y_i), and -dL/dy0 . f(t_0, y_0) for the start, where t asks for them.

    grad_y0 is the adjoint at t0 without the direct part dL/dy_0 of the first observation. A solve that ended
    at an event has a gradient only in its start.
    """
    if not run.times.differentiable:
        return None
    counter, grads = Counter(run.stats, backward=True), []
    for i, (time, y, g) in enumerate(zip(run.times.values, ys, grad_ys, strict=True)):
        if i and run.event is not None:
            grads.append(torch.zeros((), dtype=y.dtype, device=y.device))
            continue
        counter.evaluation()
        slope = run.problem.f(torch.tensor(time, dtype=y.dtype, device=y.device), y)
        grads.append((slope * g).sum() if i else -(slope * grad_y0).sum())
    return as_like(torch.stack(grads), run.times.tensor)


def with_adjoint_norm(run: Run, norm: Norm, tail: int) -> Plan:
    """The backward plan with its error norm; tolerances per element are laid out over (y, a, parameters)."""
    tolerance, shape = run.backward_plan.tolerance, run.problem.y0.shape

    def spread(value: float | Tensor) -> float | Tensor:
        if isinstance(value, float):
            return value
        flat = value.expand(shape).reshape(-1)
        return torch.cat([flat, flat, flat.min().expand(tail)])

    tolerance = replace(tolerance, rtol=spread(tolerance.rtol), atol=spread(tolerance.atol), norm=norm)
    return replace(
        run.backward_plan, tolerance=tolerance, stepper=for_adjoint(run, run.backward_plan.stepper)
    )
