"""A method that begins explicit, changes to an implicit one where the problem is stiff, and back."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from odestudy.ode._explicit_rk import ExplicitRK
from odestudy.ode._jacobian import Jacobian
from odestudy.ode._rosenbrock import Linearization, Rosenbrock
from odestudy.ode._span import Span
from odestudy.ode._step import VectorField
from odestudy.ode._stepper import Stepper, StepResult
from odestudy.ode.tableaus.rodas5p import RODAS5P
from odestudy.ode.tableaus.tsit5 import TSIT5

EDGE = 2.0  # h |lambda| of an explicit step that stability holds back (HW II, section IV.2: 3.25 for dopri5)
MILD = 1.5  # h |lambda| of an implicit step that an explicit one could take as well
TO_STIFF = 7  # steps at the edge, after which the implicit method takes over
CALM = 6  # steps away from it in a row, after which those at the edge are forgotten (dopri5.f)
UNEASY = 0.3  # h |lambda| that an explicit method may also keep to by its error control on a stiff problem;
TO_TRIAL = (
    20  # after so many looks at it in a row the implicit one is tried, and goes back if its steps are mild
)
TO_EXPLICIT = 4  # mild steps in a row after which the explicit method comes back
WATCH_EVERY = 3  # explicit steps between two looks at the stiffness while there is no sign of it
SMALL = 32  # up to so many rows a Jacobian's eigenvalues are computed, beyond they are bounded by its norms


class Mode(NamedTuple):
    """Which method is on, how many steps spoke against it, and how many since then did not.

    `met` says that stiffness has been met: the explicit method, too, is then held to what is strict enough for
    the implicit one.
    """

    stiff: bool = False
    against: int = 0
    calm: int = 0
    inner: Any = None
    met: bool = False
    uneasy: int = 0


@dataclass(frozen=True)
class Auto:
    """Tsitouras' explicit pair and Rodas5P, whose error estimates shrink with the same power of dt.

    Explicit steps show h |lambda| by two of their stages (HW II, eq. IV.2.31), implicit ones by the spectral
    radius of the Jacobian that they need anyhow. `jacobian` is as for the implicit methods.
    """

    jacobian: Jacobian = "full"
    implicit: Any = None
    name = "auto"
    order = 5
    one_step = True
    weights = None
    nodes = TSIT5.c
    explicit = ExplicitRK(TSIT5)
    error_power = explicit.error_power
    strictness = RODAS5P.strictness

    def __post_init__(self) -> None:
        if self.implicit is None:
            object.__setattr__(self, "implicit", Rosenbrock(RODAS5P, self.jacobian))

    def by(self, attempt: StepResult) -> Stepper:
        """The method that took this step."""
        return self.implicit if attempt.method == self.implicit.name else self.explicit

    def step(self, f: VectorField, span: Span, y: Tensor, solver_state: Any) -> StepResult:
        """A step of the method that is on; its solver state says which one takes the next."""
        mode = solver_state if isinstance(solver_state, Mode) else Mode(inner=solver_state)
        stepper: Stepper = self.implicit if mode.stiff else self.explicit
        attempt = stepper.step(f, span, y, mode.inner)
        attempt.method = stepper.name
        attempt.retry = mode._replace(inner=attempt.retry)
        attempt.solver_state = self._next(mode, attempt, abs(span.length))
        return attempt

    @torch.no_grad()
    def _next(self, mode: Mode, attempt: StepResult, dt: float) -> Mode:
        if mode.stiff:
            mild = dt * spectral_radius(attempt) < MILD
            against = mode.against + 1 if mild else 0
            if against >= TO_EXPLICIT:
                return Mode(met=mode.met)
            return Mode(True, against, 0, attempt.solver_state, mode.met or not mild)
        if mode.against == 0 and mode.calm + 1 < WATCH_EVERY:
            return mode._replace(calm=mode.calm + 1, inner=attempt.solver_state)
        found = self.explicit.stiffness(attempt)
        stiffness = math.nan if found is None else float(found)
        uneasy = mode.uneasy + 1 if UNEASY < stiffness < math.inf else 0
        mode = mode._replace(inner=attempt.solver_state, uneasy=uneasy)
        if uneasy >= TO_TRIAL:
            return Mode(stiff=True, met=mode.met)
        if EDGE < stiffness < math.inf:
            if mode.against + 1 >= TO_STIFF:
                return Mode(stiff=True, met=True)
            return mode._replace(against=mode.against + 1, calm=0)
        if mode.against == 0 or mode.calm + 1 >= CALM:
            return mode._replace(against=0, calm=0)
        return mode._replace(calm=mode.calm + 1)

    def errors(self, dt: float, attempt: StepResult) -> tuple[Tensor, ...]:
        """The estimate of the method that took the step, the explicit one's made strict once stiffness was met."""
        by = self.by(attempt)
        strict = self.strictness if by is self.explicit and attempt.retry.met else 1.0
        return tuple(e * strict for e in by.errors(dt, attempt))

    def stiffness(self, attempt: StepResult) -> Tensor | None:
        """The estimate of an explicit step."""
        return self.by(attempt).stiffness(attempt)

    def interpolate(
        self, f: VectorField, span: Span, y: Tensor, attempt: StepResult, theta: Tensor
    ) -> Tensor:
        """The dense output of the method that took the step."""
        return self.by(attempt).interpolate(f, span, y, attempt, theta)


def resumed(stepper: Stepper, method: str, solver_state: Any) -> Any:
    """The solver state with which a step is taken again by the method that took it before."""
    if not isinstance(stepper, Auto):
        return solver_state
    return Mode(
        method == stepper.implicit.name,
        inner=solver_state.inner if isinstance(solver_state, Mode) else solver_state,
    )


def spectral_radius(attempt: StepResult) -> float:
    """The largest |lambda| of an implicit step's Jacobian, or a bound on it; infinite where it is not known."""
    mode = attempt.retry
    found = mode.inner if isinstance(mode, Mode) else mode
    matrix = getattr(found, "matrix", None)
    jacobian = found.jacobian if isinstance(found, Linearization) else getattr(matrix, "jacobian", None)
    if jacobian is None or not bool(torch.isfinite(jacobian).all()):
        return math.inf
    if jacobian.shape[-1] <= SMALL:
        return float(torch.linalg.eigvals(jacobian.detach()).abs().max())
    norms = [torch.linalg.matrix_norm(jacobian.detach(), order) for order in (1, torch.inf)]
    return float(torch.minimum(*norms).max())
