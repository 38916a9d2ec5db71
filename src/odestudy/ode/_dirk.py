"""Diagonally implicit Runge-Kutta methods under the stepper's contract."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._constants import powers, table
from odestudy.ode._dirk_step import DirkStep, Start
from odestudy.ode._dirk_tableau import DirkTableau
from odestudy.ode._jacobian import Jacobian, check_jacobian
from odestudy.ode._newton import Accuracy
from odestudy.ode._of_tableau import OfTableau
from odestudy.ode._span import Span
from odestudy.ode._step import VectorField, weighted_sum
from odestudy.ode._stepper import StepResult
from odestudy.ode._tableau import Terms, terms
from odestudy.ode._tolerance import Tolerance


@dataclass(frozen=True)
class Dirk(OfTableau):
    """An (E)SDIRK method; its stages are solved by simplified Newton iterations with one matrix per step.

    `jacobian` is "full" (of the flat state), "per_sample" (a state [batch, ...] whose samples do not depend on
    each other) or a callable jacobian(t, y), shape [n, n] or [batch, n, n]. It is kept over steps while the
    iterations converge fast, and its factors while dt stays. `newton_tol` is the part of the tolerance that
    the iterations may use up.
    """

    tableau: DirkTableau
    jacobian: Jacobian = "full"
    newton_tol: float = 0.01
    accuracy: Accuracy | None = None
    persistent: bool = False
    one_step = True
    weights = None

    def __post_init__(self) -> None:
        check_jacobian(self.jacobian)
        if not 0 < self.newton_tol < 1:
            raise ValueError(f"option 'newton_tol' must be between 0 and 1, got {self.newton_tol!r}")

    @property
    def error_power(self) -> int:
        return self.tableau.error_order + 1 if self.tableau.error_row else 0

    def within(self, tolerance: Tolerance, fixed: bool) -> "Dirk":
        """The method, with its stages solved well within this tolerance; on `fixed` steps at any cost."""
        return replace(
            self,
            accuracy=Accuracy(tolerance, self.newton_tol / self.tableau.strictness),
            persistent=self.persistent or fixed,
        )

    def step(self, f: VectorField, span: Span, y: Tensor, solver_state: Any) -> StepResult:
        """One step; the solver state is a Start, or the slope at its start alone."""
        start = solver_state if isinstance(solver_state, Start) else Start(solver_state)
        leaves = self.closing if span.leaves(max(self.nodes)) else None
        attempt = DirkStep(leaves or self, f, span, y, start).run()
        attempt.closing = leaves is not None
        return attempt

    @cached_property
    def closing(self) -> "Dirk | None":
        """The method of a step that must not ask f beyond its end, where this one would."""
        return None if self.tableau.closing is None else replace(self, tableau=self.tableau.closing)

    def _by(self, attempt: StepResult) -> "Dirk":
        return self.closing if attempt.closing and self.closing is not None else self

    def errors(self, dt: float, attempt: StepResult) -> tuple[Tensor, ...]:
        """dt sum_i (b_i - b^_i) k_i; not filtered, as the embedded method is A-stable itself."""
        by = self._by(attempt)
        return (weighted_sum(by._error_terms, attempt.ks) * (dt * by.tableau.strictness),)

    def stiffness(self, attempt: StepResult) -> Tensor | None:
        """Not estimated: no bound on the step follows from it."""
        return None

    @cached_property
    def rows(self) -> tuple[Terms, ...]:
        """Each stage's weights of the slopes before it."""
        return tuple(terms(row[:-1]) for row in self.tableau.a)

    @cached_property
    def _error_terms(self) -> Terms:
        return terms(self.tableau.error_row)

    def interpolate(
        self, f: VectorField, span: Span, y: Tensor, attempt: StepResult, theta: Tensor
    ) -> Tensor:
        """y + dt sum_i b_i(theta) k_i."""
        polynomials = tuple(zip(*self._by(attempt).tableau.dense.p, strict=True))
        p = table(polynomials, theta.device, theta.dtype)
        weights = (powers(theta, len(p)) @ p * span.dt).to(y.dtype)
        ks = torch.stack(attempt.ks)
        return y + (weights @ ks.reshape(len(ks), -1)).reshape(len(theta), *y.shape)
