"""Explicit Runge-Kutta methods under the stepper's contract."""

from functools import lru_cache

import torch
from torch import Tensor

from odestudy.ode._constants import powers, table
from odestudy.ode._span import Span
from odestudy.ode._step import VectorField, advance, rk_step, weighted_sum
from odestudy.ode._stepper import StepResult
from odestudy.ode._tableau import ExplicitTableau, Terms, terms


class ExplicitRK:
    """An explicit Runge-Kutta method, adaptive where its tableau has an error estimate.

    `fixed` drives an embedded pair on a given grid: its estimate and its last stage are then not computed.
    """

    one_step = True

    def __init__(self, tableau: ExplicitTableau, fixed: bool = False) -> None:
        self.tableau = tableau
        self.name, self.order = tableau.name, tableau.order
        self.error_power = 0 if fixed or not tableau.adaptive else tableau.error_order + 1
        self.short = tableau.fsal and not self.error_power
        self.nodes = tableau.c[:-1] if self.short else tableau.c
        self.rows = tableau.rows[:-1] if self.short else tableau.rows
        self.weights = terms(tableau.b)
        self.error_terms = tuple(terms(row) for row in tableau.error_rows)
        self.polynomials = tuple(
            zip(*tableau.dense.p, strict=True)
        )  # a row a power of theta, a column a stage
        missing = [(1.0, terms(tableau.b))] if self.short else []
        extra = zip(tableau.dense.extra_c, map(terms, tableau.dense.extra_a), strict=True)
        self.twins = _twins(tableau, self.nodes)
        self.extra = (*missing, *extra)  # what interpolation evaluates beyond the step itself

    def step(self, f: VectorField, span: Span, y: Tensor, solver_state: Tensor | None) -> StepResult:
        """One step; without a solver state, k1 is evaluated first."""
        times = span.stages(self.nodes)
        k1 = f(times[0], y) if solver_state is None else solver_state
        y1, ks = rk_step(f, times, span.dt, y, k1, self.tableau, self.rows, self.weights)
        return StepResult(y1, ks, ks[-1] if self.tableau.fsal and not self.short else None, k1)

    def errors(self, dt: float | Tensor, attempt: StepResult) -> tuple[Tensor, ...]:
        """dt sum_i e_i k_i for each error row of the tableau."""
        return tuple(weighted_sum(row, attempt.ks) * dt for row in self.error_terms)

    def stiffness(self, attempt: StepResult) -> Tensor | None:
        """h |lambda| from two stages at the same time (HNW II, eq. IV.2.31); None where there are no two."""
        if self.twins is None:
            return None
        i, j, gap = self.twins
        distance = torch.linalg.vector_norm(weighted_sum(gap, attempt.ks))  # of the two states, over dt
        return torch.linalg.vector_norm(attempt.ks[j] - attempt.ks[i]) / distance

    def weights_at(self, theta: Tensor) -> Tensor:
        """b_i(theta), shape [len(theta), stages], of theta's precision."""
        return powers(theta, len(self.polynomials)) @ table(self.polynomials, theta.device, theta.dtype)

    def complete(self, f: VectorField, span: Span, y: Tensor, attempt: StepResult) -> list[Tensor]:
        """The stages that interpolation needs, the missing ones evaluated (and kept)."""
        if not self.extra or len(attempt.ks) > len(self.nodes):
            return attempt.ks
        times = span.times(tuple(c for c, _ in self.extra))
        for time, (_, row) in zip(times, self.extra, strict=True):
            at_end = row == self.weights
            state = attempt.y1 if at_end else advance(y, span.dt, row, attempt.ks)
            attempt.ks.append(f(time, state))
            if at_end:
                attempt.solver_state = attempt.ks[-1]
        return attempt.ks

    def interpolate(
        self, f: VectorField, span: Span, y: Tensor, attempt: StepResult, theta: Tensor
    ) -> Tensor:
        """y + dt sum_i b_i(theta) k_i."""
        stages = attempt.stacked
        if stages is None:
            stages = torch.stack(self.complete(f, span, y, attempt))
        weights = (self.weights_at(theta) * span.dt).to(y.dtype)
        return torch.addmm(y.reshape(1, -1), weights, stages.reshape(len(stages), -1)).reshape(
            len(theta), *y.shape
        )


def _twins(tableau: ExplicitTableau, nodes: tuple[float, ...]) -> tuple[int, int, Terms] | None:
    """Two stages at the end of the step, f at one time and two states, and their distance."""
    ends = [i for i, c in enumerate(nodes) if c == 1.0]
    if len(ends) < 2:
        return None
    a = tableau.matrix()
    return ends[-2], ends[-1], terms(tuple(a[ends[-1]] - a[ends[-2]]))


@lru_cache(maxsize=256)
def explicit_rk(tableau: ExplicitTableau, fixed: bool = False) -> ExplicitRK:
    """The method of a tableau, made once."""
    return ExplicitRK(tableau, fixed)
