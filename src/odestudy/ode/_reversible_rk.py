"""Explicit Runge-Kutta methods made reversible, of their own order."""

import torch
from torch import Tensor

from odestudy.ode._arguments import number
from odestudy.ode._explicit_rk import ExplicitRK
from odestudy.ode._span import Span
from odestudy.ode._step import VectorField
from odestudy.ode._stepper import StepResult
from odestudy.ode._tableau import ExplicitTableau

SolverState = tuple[Tensor, ...]


class ReversibleRK:
    """A second state z beside y, moved by the method's rises F (y + F is its step), there and back:

    y1 = c y + (1 - c) z + F(t, z, h),  z1 = z - F(t1, y1, -h),  with z = y at the start, c the coupling.

    Solving these for (z, y) gives the step back; of the method's order, for twice its evaluations. For
    y' = lambda y, w = h lambda, F(w) = P(w) - 1 with the method's stability polynomial P, (y, z) is multiplied
    by a matrix of determinant c and trace 1 + c - (1 - c) F(-w) - F(w) F(-w): the eigenvalues are about exp(w)
    and c exp(-w). The second is damped only while h |Re lambda| < -ln c, which is about 1 - c; beyond it grows
    as exp(|Re lambda| t) c^n over n steps, from the size of a step's error, which is small with a high order.
    Steps back amplify rounding by c^-n. Source: McCallum, Foster 2024 (arXiv 2410.11648).

    Raises ValueError for a coupling that is not above 0 and at most 1.
    """

    one_step = False
    weights = None

    def __init__(self, tableau: ExplicitTableau, coupling: float = 0.999) -> None:
        self.coupling = number("coupling", coupling)
        if not 0 < self.coupling <= 1:
            raise ValueError(f"coupling {coupling}: need more than 0 and at most 1")
        self.base, self.plain = ExplicitRK(tableau), ExplicitRK(tableau, fixed=True)
        self.name, self.order = f"reversible_{tableau.name}", tableau.order
        self.error_power, self.nodes = self.base.error_power, self.base.nodes

    def step(
        self, f: VectorField, span: Span, y: Tensor, solver_state: Tensor | SolverState | None
    ) -> StepResult:
        """One step; the solver state is (z,), or f(t, y) at the start."""
        z, k1 = (solver_state[0], None) if isinstance(solver_state, tuple) else (y, solver_state)
        there = self.base.step(f, span, z, k1)
        y1 = there.y1 + self.coupling * (y - z)
        z1 = z - self._rise_back(f, span, y1)
        return StepResult(y1, there.ks, (z1,), solver_state)

    def reverse(
        self, f: VectorField, span: Span, y1: Tensor, solver_state: SolverState
    ) -> tuple[Tensor, SolverState]:
        """(y, (z,)) at the start of the step that ended in y1 and this solver state."""
        z = solver_state[0] + self._rise_back(f, span, y1)
        there = self.plain.step(f, Span(span.t, span.dt, z, after=span.after, before=span.before), z, None)
        return z + (y1 - there.y1) / self.coupling, (z,)

    def _rise_back(self, f: VectorField, span: Span, y1: Tensor) -> Tensor:
        back = Span(span.t + span.dt, -span.dt, y1, after=span.before, before=span.after)
        return self.plain.step(f, back, y1, None).y1 - y1

    def errors(self, dt: float, attempt: StepResult) -> tuple[Tensor, ...]:
        """The method's own, of its step from z."""
        return self.base.errors(dt, attempt)

    def stiffness(self, attempt: StepResult) -> Tensor | None:
        """The method's own estimate."""
        return self.base.stiffness(attempt)

    def interpolate(
        self, f: VectorField, span: Span, y: Tensor, attempt: StepResult, theta: Tensor
    ) -> Tensor:
        """The method's own dense output with the slopes from z, led from y to y1."""
        ends = torch.cat([theta, torch.ones_like(theta[:1])])
        whole = StepResult(attempt.y1, attempt.ks, None, None)
        states = self.base.interpolate(f, span, y, whole, ends)
        return states[:-1] + theta.to(y.dtype).reshape(-1, *[1] * y.ndim) * (attempt.y1 - states[-1])
