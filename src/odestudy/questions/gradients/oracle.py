"""The true gradient: in closed form, or by forward sensitivities to a tight tolerance, checked by differences."""

from __future__ import annotations

import torch
from torch import Tensor

from odestudy.integrate import Solver, integrate
from odestudy.questions.gradients.gradient import Gradient, flat, gradient_of
from odestudy.questions.gradients.problems import Problem

TIGHT = Solver(method="dopri8", rtol=1e-12, atol=1e-13, gradient="forward")
DIFFERENCE = 1e-4  # half the distance of the two solves: the best for fourth-order differences near 1e-12


def oracle(problem: Problem) -> Gradient:
    """The gradient of <c, y(t1)> in float64.

    Raises:
        NumericalFailure: the tight solve fails.
    """
    if problem.exact is None:
        return gradient_of(problem, TIGHT)
    y0 = problem.y0.clone().requires_grad_()
    value = (problem.exact(y0) * problem.cotangent()).sum()
    *params, start = torch.autograd.grad(value, [*problem.parameters(), y0])
    return Gradient(flat(params), start.reshape(-1), 0, 0)


def difference_error(problem: Problem, truth: Gradient, directions: int = 3) -> float:
    """The largest relative error of the oracle along random directions, against central differences of order 4.

    Both the parameters and the initial state move along a direction.
    """
    generator = torch.Generator().manual_seed(11)
    gradient = torch.cat([truth.parameters, truth.y0])
    worst = 0.0
    for _ in range(directions):
        u = torch.randn(len(gradient), generator=generator, dtype=torch.float64)
        u = u / u.norm()
        near, far = (_difference(problem, u, step) for step in (DIFFERENCE, 2 * DIFFERENCE))
        slope = (4 * near - far) / 3
        worst = max(worst, abs(float(gradient @ u) - slope) / float(gradient.norm()))
    return worst


def _difference(problem: Problem, u: Tensor, step: float) -> float:
    return (_value(problem, u, step) - _value(problem, u, -step)) / (2 * step)


def _value(problem: Problem, u: Tensor, step: float) -> float:
    """<c, y(t1)> with parameters and y0 moved by step * u."""
    params = problem.parameters()
    *parts, start = u.split([*(p.numel() for p in params), problem.y0.numel()])
    moved = [p.detach() + step * part.reshape(p.shape) for p, part in zip(params, parts, strict=True)]
    kept = [p.detach().clone() for p in params]
    with torch.no_grad():
        for p, value in zip(params, moved, strict=True):
            p.copy_(value)
        try:
            y0 = problem.y0 + step * start.reshape(problem.y0.shape)
            solver = Solver(method=TIGHT.method, rtol=TIGHT.rtol, atol=TIGHT.atol)
            end = integrate(problem.f, y0, problem.times(), solver)[-1]
        finally:
            for p, value in zip(params, kept, strict=True):
                p.copy_(value)
    return float((end * problem.cotangent()).sum())
