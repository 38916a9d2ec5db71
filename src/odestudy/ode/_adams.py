"""Fixed-step Adams methods: Bashforth's explicit ones, and Moulton's as corrector of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from odestudy.ode._arguments import whole
from odestudy.ode._explicit_rk import ExplicitRK
from odestudy.ode._span import Span
from odestudy.ode._step import Terms, VectorField, weighted_sum
from odestudy.ode._stepper import StepResult
from odestudy.ode.tableaus.low_order import RK4

STARTUP = 3  # slopes that the starting steps leave behind before the multistep formula takes over
HIGHEST, USUAL = 12, 11  # torchdiffeq's max_order of 12 keeps eleven slopes, and so is of order 11
SAME_STEP = 1e-6  # relative difference of two step sizes that still count as one


class History(NamedTuple):
    """The slopes at the last steps' starts, newest first, and the step size that they are apart."""

    dt: float
    slopes: tuple[Tensor, ...]


@lru_cache(maxsize=64)
def adams_weights(nodes: tuple[int, ...]) -> Terms:
    """The integral over [0, 1] of the interpolating polynomial's basis on `nodes` (HNW I, section III.1)."""
    weights = []
    for j in nodes:
        poly = [Fraction(1)]  # ascending powers of the basis polynomial that is 1 at j and 0 at the others
        for m in nodes:
            if m != j:
                shifted = [Fraction(0), *poly]
                poly = [(a - m * b) / (j - m) for a, b in zip(shifted, [*poly, Fraction(0)], strict=True)]
        weights.append(sum((c / (i + 1) for i, c in enumerate(poly)), Fraction(0)))
    return tuple((i, float(w)) for i, w in enumerate(weights))


@dataclass(frozen=True)
class Adams:
    """Adams-Bashforth of up to `max_order` (explicit), or with Adams-Moulton of one order more as corrector.

    The first steps, and those after a change of the step size, are RK4's 3/8 rule; the order then grows
    with the history. Its start limits the observed order to 5. The corrector iterates `max_iters` times,
    with no test of convergence that would need the host. The higher the order the shorter the steps at which
    Bashforth's formulas are stable: on y' = -l y, l > 0, for l dt below 0.3 at order 4, 0.0034 at order 11 and
    0.0017 at order 12. Source: Hairer, Nørsett, Wanner I, III.1, and V.1 for the stability.
    """

    name: str
    implicit: bool
    max_order: int = USUAL
    max_iters: int = 4
    error_power = 0
    one_step = False
    weights = None
    nodes = RK4.c

    def __post_init__(self) -> None:
        whole("max_order", self.max_order, 1, HIGHEST)
        whole("max_iters", self.max_iters, 1)

    @property
    def order(self) -> int:
        """The observed order: the formula's, or the fourth-order start's plus one."""
        return min(max(self.max_order, 4), 5)

    def step(self, f: VectorField, span: Span, y: Tensor, solver_state: History | None) -> StepResult:
        """One step; the solver state is the history of slopes."""
        dt = span.length
        if solver_state is not None and abs(solver_state.dt - dt) > SAME_STEP * abs(dt):
            solver_state = None
        times = span.stages(self.nodes)
        older = () if solver_state is None else solver_state.slopes
        slopes = (f(times[0], y), *older)[: self.max_order]
        history = History(dt, slopes)
        if len(slopes) <= STARTUP:
            started = _START.step(f, span, y, slopes[0])
            return StepResult(started.y1, list(slopes), history, older)
        y1 = y + (weighted_sum(adams_weights(tuple(range(0, -len(slopes), -1))), slopes) * span.dt).to(
            y.dtype
        )
        if self.implicit:
            y1 = self._correct(f, times[-1], span.dt, y, y1, slopes)
        return StepResult(y1, list(slopes), history, older)

    def _correct(
        self, f: VectorField, end: Tensor, dt: float | Tensor, y: Tensor, y1: Tensor, slopes: Sequence[Tensor]
    ) -> Tensor:
        (_, first), *rest = adams_weights((1, *range(0, -len(slopes), -1)))
        known = y + (weighted_sum(tuple((i - 1, w) for i, w in rest), slopes) * dt).to(y.dtype)
        for _ in range(self.max_iters):
            y1 = known + (f(end, y1) * (first * dt)).to(y.dtype)
        return y1

    def errors(self, dt: float, attempt: StepResult) -> tuple[Tensor, ...]:
        """None: the steps are fixed."""
        return ()

    def stiffness(self, attempt: StepResult) -> Tensor | None:
        """Not estimated."""
        return None

    def interpolate(
        self, f: VectorField, span: Span, y: Tensor, attempt: StepResult, theta: Tensor
    ) -> Tensor:
        """An RK4 step of its own to each state asked for: local error O(dt^5), no history disturbed."""
        states = []
        for part in theta.unbind():
            dt = part * span.dt
            inner = Span(span.t, dt, y)
            states.append(_START.step(f, inner, y, attempt.ks[0]).y1)
        return torch.stack(states)


_START = ExplicitRK(RK4)
