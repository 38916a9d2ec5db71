"""One step of a diagonally implicit Runge-Kutta method."""

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from odestudy.ode._dirk_tableau import DirkTableau
from odestudy.ode._implicit_slope import attach
from odestudy.ode._jacobian import Jacobian, Shifted, jacobian
from odestudy.ode._newton import Accuracy, Outcome, solve_stage
from odestudy.ode._span import Span
from odestudy.ode._step import VectorField, advance, weighted_sum
from odestudy.ode._stepper import StepResult, StepStatus
from odestudy.ode._tableau import Terms, terms

RENEWALS = 5  # Jacobians at the iterates themselves, where dt is given and Newton's iterations fail
KEEP_RATE = 0.05  # the Jacobian serves the next step where Newton's iterations converged at this rate


class Start(NamedTuple):
    """What a step begins with: the slope at its start, the last linear system, and how well that served.

    `fresh` says that its Jacobian is that of this step's start.
    """

    slope: Tensor | None
    matrix: Shifted | None = None
    eta: float = 1.0
    fresh: bool = False


class DirkMethod(Protocol):
    """What a step needs to know of its method; see Dirk."""

    @property
    def tableau(self) -> DirkTableau: ...

    @property
    def jacobian(self) -> Jacobian: ...

    @property
    def accuracy(self) -> Accuracy | None: ...

    @property
    def persistent(self) -> bool: ...

    @property
    def rows(self) -> tuple[Terms, ...]: ...


class DirkStep:
    """One step under way: its matrix may be renewed once, where the iterations fail with an old Jacobian."""

    def __init__(self, method: DirkMethod, f: VectorField, span: Span, y: Tensor, start: Start) -> None:
        if method.accuracy is None:
            raise ValueError(
                f"method {method.tableau.name!r} needs a tolerance: call within(tolerance) first"
            )
        self.method, self.f, self.span, self.y, self.start = method, f, span, y, start
        self.scale = method.tableau.gamma * span.length
        self.times = span.stages(method.tableau.c)
        self.allowed = method.accuracy.allowed(y)
        self.eta, self.rate = start.eta, 0.0
        self.fresh, self.jacobians, self.factorizations = start.fresh, 0, 0
        self.matrix = start.matrix
        self.first = start.slope

    def run(self) -> StepResult:
        tab, ks = self.method.tableau, list[Tensor]()
        stage = self.y
        for i in range(tab.stages):
            row = self.method.rows[i]
            base = advance(self.y, self.span.dt, row, ks) if row else self.y
            if i == 0 and tab.explicit_first:
                self.first = self.f(self.times[0], self.y) if self.first is None else self.first
                ks.append(self.first)
                continue
            try:
                found = self._stage(i, base.detach(), ks)
            except Exception as error:
                self._explain(error, i)
                raise
            if found.status is not None:
                return self._failed(found.status, ks)
            slope = found.z / self.scale
            if torch.is_grad_enabled():
                slope = attach(self.f, self.times[i], base, self.span, tab.gamma, slope, self.method.jacobian)
            ks.append(slope)
            stage = advance(base, self.span.dt, ((i, tab.gamma),), ks)
        if not tab.stiffly_accurate:
            stage = self.y + (weighted_sum(terms(tab.b), ks) * self.span.dt).to(self.y.dtype)
        return self._done(stage, ks)

    def _explain(self, error: Exception, i: int) -> None:
        """Notes on an error of f that it was asked beyond the step's end, where it need not be defined."""
        tab = self.method.tableau
        if tab.c[i] > 1:
            error.add_note(
                f"f was asked at t = {float(self.times[i]):.9g}, beyond the step's end: stages of {tab.name!r} reach "
                f"{max(tab.c):.3g} steps far. Where f is not defined there give the tableau a closing one, whose "
                "stages do not."
            )

    def _stage(self, i: int, base: Tensor, ks: list[Tensor]) -> Outcome:
        guess, time = self._guess(i, ks), self.times[i]
        found = solve_stage(self.f, time, base, guess, self._matrix(), self.allowed, self.eta)
        if found.status is not None and not self.fresh:
            self.matrix = None
            found = solve_stage(self.f, time, base, guess, self._matrix(), self.allowed, self.eta)
        for _ in range(RENEWALS if self.method.persistent else 0):
            if found.status != "newton_failed":
                break
            self._linearize(time, base + found.z)
            found = solve_stage(self.f, time, base, found.z, self._matrix(), self.allowed, 1.0)
        self.eta, self.rate = found.eta, max(self.rate, found.rate)
        return found

    def _guess(self, i: int, ks: list[Tensor]) -> Tensor:
        """The stage's increment, from the slopes before it."""
        row = self.method.tableau.predictors[i]
        if row:
            return weighted_sum(row, [k.detach() for k in ks]) * self.scale
        return torch.zeros_like(self.y) if self.first is None else self.first.detach() * self.scale

    def _matrix(self) -> Shifted:
        """The linear system for this dt; its Jacobian is that of the step's start where there was none."""
        if self.matrix is None:
            self._linearize(self.span.times((0.0,))[0], self.y)
            self.fresh, self.eta = True, 1.0
        elif self.matrix.scale != self.scale:
            self._factorize(self.matrix.jacobian)
        assert self.matrix is not None, "factorised above"
        return self.matrix

    def _linearize(self, time: Tensor, y: Tensor) -> None:
        self.jacobians += 1
        self._factorize(jacobian(self.f, time.detach(), y.detach(), self.method.jacobian))

    @torch.no_grad()
    def _factorize(self, jacobian: Tensor) -> None:
        self.factorizations += 1
        self.matrix = Shifted.of(jacobian, self.scale)

    def _retry(self) -> Start:
        return Start(self.start.slope if self.first is None else self.first, self.matrix, 1.0, self.fresh)

    def _failed(self, status: StepStatus, ks: list[Tensor]) -> StepResult:
        return StepResult(self.y, ks, None, self._retry(), status, self.jacobians, self.factorizations)

    def _done(self, y1: Tensor, ks: list[Tensor]) -> StepResult:
        kept = self.matrix if self.rate <= KEEP_RATE else None
        slope = ks[-1] if self.method.tableau.stiffly_accurate else None
        return StepResult(
            y1, ks, Start(slope, kept, self.eta), self._retry(), None, self.jacobians, self.factorizations
        )
