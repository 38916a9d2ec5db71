"""The map from data to base as a solver computes it, with the change of log-density by one of several formulas.

Net, stepper and steps are the same whichever formula is taken: only what is added up along them differs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from odestudy.densities.fields import RightHandSide
from odestudy.densities.formula import Formula
from odestudy.densities.jacobian import with_estimate, with_jacobian, with_trace
from odestudy.densities.normal import standard_normal
from odestudy.densities.structured import StructuredLogDeterminant, StructuredTrace
from odestudy.ode._methods import make_stepper
from odestudy.ode._span import Span
from odestudy.ode._stepper import Stepper

NOISES: dict[str, Callable[[Tensor], Tensor]] = {
    "rademacher": lambda like: torch.randint(0, 2, like.shape).to(like) * 2 - 1,
    "gaussian": lambda like: torch.randn(like.shape).to(like),
}


@dataclass(frozen=True)
class Grid:
    """A solver's method with `steps` equal steps from t = `start` to t = 1."""

    method: str
    steps: int
    start: float = 0.0

    @property
    def h(self) -> float:
        return (1.0 - self.start) / self.steps

    @property
    def stepper(self) -> Stepper:
        return make_stepper(self.method, fixed=True)

    def spans(self, like: Tensor) -> list[Span]:
        return [Span(self.start + i * self.h, self.h, like) for i in range(self.steps)]


class TraceIntegral:
    """The trace of df/dz, integrated by the same Runge-Kutta step as the state (Chen et al. 2018, theorem 1)."""

    def start(self, x: Tensor) -> None:
        pass

    def trace(self, f: Callable[[Tensor], Tensor], z: Tensor) -> tuple[Tensor, Tensor]:
        return with_trace(f, z)

    def step(self, f: RightHandSide, stepper: Stepper, span: Span, y: Tensor) -> tuple[Tensor, Tensor]:
        def augmented(t: Tensor, state: Tensor) -> Tensor:
            value, trace = self.trace(lambda z: f(t, z), state[:, :-1])
            return torch.cat([value, trace[:, None]], 1)

        state = torch.cat([y, torch.zeros_like(y[:, :1])], 1)
        end = stepper.step(augmented, span, state, None).y1
        return end[:, :-1], end[:, -1]


class Hutchinson(TraceIntegral):
    """The trace estimated with random probes, which stay fixed during a solve (Grathwohl et al. 2018)."""

    def __init__(self, noise: str, probes: int) -> None:
        self.noise, self.count = NOISES[noise], probes
        self.probes = torch.empty(0)

    def start(self, x: Tensor) -> None:
        self.probes = self.noise(x.detach().expand(self.count, *x.shape))

    def trace(self, f: Callable[[Tensor], Tensor], z: Tensor) -> tuple[Tensor, Tensor]:
        return with_estimate(f, z, self.probes)


class LogDeterminant:
    """log |det| of the Jacobian of the step's map y -> y + h phi(y): exact for the map as computed."""

    def start(self, x: Tensor) -> None:
        pass

    def step(self, f: RightHandSide, stepper: Stepper, span: Span, y: Tensor) -> tuple[Tensor, Tensor]:
        end, jacobian = step_jacobian(f, stepper, span, y)
        return end, torch.linalg.slogdet(jacobian).logabsdet


def step_jacobian(f: RightHandSide, stepper: Stepper, span: Span, y: Tensor) -> tuple[Tensor, Tensor]:
    """The end of one step and the Jacobian of its map, (n, d) and (n, d, d)."""
    return with_jacobian(lambda state: stepper.step(f, span, state, None).y1, y)


FORMULAS: dict[str, Callable[[], Formula]] = {
    "trace": TraceIntegral,
    "rademacher1": lambda: Hutchinson("rademacher", 1),
    "rademacher10": lambda: Hutchinson("rademacher", 10),
    "gaussian1": lambda: Hutchinson("gaussian", 1),
    "gaussian10": lambda: Hutchinson("gaussian", 10),
    "logdet": LogDeterminant,
    "structured_trace": StructuredTrace,
    "structured_logdet": StructuredLogDeterminant,
    "logdet_by_d": lambda: StructuredLogDeterminant("d"),
    "logdet_by_w": lambda: StructuredLogDeterminant("w"),
}


def transport(f: RightHandSide, x: Tensor, grid: Grid, formula: str | Formula) -> tuple[Tensor, Tensor]:
    """Carry data x (n, d) to the base; the end (n, d) and the gain in log-density (n,), in nat.

    Raises:
        ValueError: the formula is unknown; the known ones are named.
    """
    if isinstance(formula, str) and formula not in FORMULAS:
        raise ValueError(f"formula {formula!r}; allowed: {', '.join(FORMULAS)}")
    rule = FORMULAS[formula]() if isinstance(formula, str) else formula
    stepper = grid.stepper
    rule.start(x)
    gain = torch.zeros_like(x[:, 0])
    for span in grid.spans(x):
        x, part = rule.step(f, stepper, span, x)
        gain = gain + part
    return x, gain


def log_density(f: RightHandSide, x: Tensor, grid: Grid, formula: str | Formula) -> Tensor:
    """log p(x) of the flow's model, (n,), in nat."""
    z, gain = transport(f, x, grid, formula)
    return standard_normal(z) + gain


def path(f: RightHandSide, x: Tensor, grid: Grid) -> Tensor:
    """The states at the ends of all steps, (steps + 1, n, d)."""
    states = [x]
    for span in grid.spans(x):
        states.append(grid.stepper.step(f, span, states[-1], None).y1)
    return torch.stack(states)
