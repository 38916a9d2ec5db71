"""Rosenbrock methods under the stepper's contract: linear systems in place of Newton's iterations."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from odestudy.ode._constants import powers, table
from odestudy.ode._implicit_slope import along, attach_solution
from odestudy.ode._jacobian import Jacobian, Shifted, check_jacobian, jacobian, rows
from odestudy.ode._of_tableau import OfTableau
from odestudy.ode._rosenbrock_tableau import RosenbrockTableau
from odestudy.ode._span import Span
from odestudy.ode._step import VectorField, weighted_sum
from odestudy.ode._stepper import StepResult
from odestudy.ode._tableau import Terms, terms


class Linearization(NamedTuple):
    """f, df/dy and df/dt (None where f does not depend on t) at a step's start."""

    slope: Tensor
    jacobian: Tensor
    along_t: Tensor | None


@dataclass(frozen=True)
class Rosenbrock(OfTableau):
    """A Rosenbrock method: one Jacobian and one LU factorization a step, all stages linear systems with it.

    Its order rests on exact derivatives: f must let autograd see how it depends on y and t (no float(t), no
    no_grad inside). `jacobian` is as for the DIRK methods.
    """

    tableau: RosenbrockTableau
    jacobian: Jacobian = "full"
    one_step = True
    weights = None

    def __post_init__(self) -> None:
        check_jacobian(self.jacobian)

    @property
    def error_power(self) -> int:
        return self.tableau.error_order + 1

    @cached_property
    def _rows(self) -> tuple[tuple[Terms, Terms], ...]:
        """Of each stage: the weights of the earlier u in its state, and beside f."""
        pairs = zip(((), *self.tableau.a), ((), *self.tableau.g), strict=True)
        return tuple((terms(a), terms(g)) for a, g in pairs)

    @cached_property
    def _weights(self) -> Terms:
        return terms(self.tableau.m)

    def step(
        self, f: VectorField, span: Span, y: Tensor, solver_state: Linearization | Tensor | None
    ) -> StepResult:
        """One step; a retry from the same state carries its linearization."""
        known = isinstance(solver_state, Linearization)
        at = solver_state if isinstance(solver_state, Linearization) else self._linearize(f, span, y)
        us, wanted = list[Tensor](), torch.is_grad_enabled()
        times, matrix = span.stages(self.nodes), Shifted.of(at.jacobian, self.tableau.gamma * span.length)
        slope = f(times[0], y) if wanted else at.slope
        for i, (row, beside) in enumerate(self._rows):
            if i > 0:
                slope = f(times[i], y + weighted_sum(row, us))
            with torch.no_grad():
                right = self._right(slope, at.along_t, i, span.length)
                if i > 0:
                    right = right + weighted_sum(beside, us) * self.tableau.gamma
                u = matrix.solve(right)
            us.append(self._attached(f, span, y, u, i, slope, us, matrix) if wanted else u)
        y1 = y + weighted_sum(self._weights, us)
        return StepResult(y1, us, None, at, None, 0 if known else 1, 1)

    def _right(self, slope: Tensor, along_t: Tensor | None, i: int, dt: float) -> Tensor:
        """gamma dt (f + dt d_i df/dt)."""
        d, scale = self.tableau.d[i], self.tableau.gamma * dt
        return slope * scale if along_t is None or d == 0.0 else slope * scale + along_t * (scale * dt * d)

    def _attached(
        self,
        f: VectorField,
        span: Span,
        y: Tensor,
        u: Tensor,
        i: int,
        slope: Tensor,
        us: list[Tensor],
        matrix: Shifted,
    ) -> Tensor:
        """u as a function of y, time, dt and f's parameters: df/dy u + dt d_i df/dt is one derivative of f."""
        tab, dt, time = self.tableau, span.dt, span.times((0.0,))[0]
        scaled = torch.as_tensor(dt * tab.d[i], dtype=time.dtype, device=time.device)
        right = (slope + along(f, time, y, scaled, u)) * tab.gamma * dt
        if i > 0:
            right = right + weighted_sum(self._rows[i][1], us) * tab.gamma
        return attach_solution(u, right.to(y.dtype), matrix)

    def _linearize(self, f: VectorField, span: Span, y: Tensor) -> Linearization:
        """By autograd from one evaluation."""
        t, x = span.times((0.0,))[0].detach().requires_grad_(), y.detach().requires_grad_()
        with torch.enable_grad():
            slope = f(t, x)
            along_t = _along_time(slope, t)
        kind = self.jacobian
        found = jacobian(f, t, x, kind) if callable(kind) else rows(slope, x, kind)
        return Linearization(slope.detach(), found, along_t)

    def errors(self, dt: float, attempt: StepResult) -> tuple[Tensor, ...]:
        """u of the last stage."""
        return (attempt.ks[-1] * self.tableau.strictness,)

    def stiffness(self, attempt: StepResult) -> Tensor | None:
        """Not estimated: no bound on the step follows from it."""
        return None

    @cached_property
    def _polynomials(self) -> tuple[tuple[float, ...], ...]:
        return tuple(map(tuple, self.tableau.weights().T.tolist()))

    def interpolate(
        self, f: VectorField, span: Span, y: Tensor, attempt: StepResult, theta: Tensor
    ) -> Tensor:
        """y + sum_i w_i(theta) u_i."""
        p = table(self._polynomials, theta.device, theta.dtype)
        us = torch.stack(attempt.ks)
        return y + ((powers(theta, len(p)) @ p).to(y.dtype) @ us.reshape(len(us), -1)).reshape(
            len(theta), *y.shape
        )


def _along_time(slope: Tensor, t: Tensor) -> Tensor | None:
    """d slope / dt by two backward passes, as g(v) = v . df/dt is linear in v; None where t does not matter."""
    if not slope.requires_grad:
        return None
    v = torch.zeros_like(slope).requires_grad_()
    (g,) = torch.autograd.grad(slope, t, v, create_graph=True, allow_unused=True)
    if g is None or not g.requires_grad:
        return None
    return torch.autograd.grad(g, v, retain_graph=True)[0].detach()
