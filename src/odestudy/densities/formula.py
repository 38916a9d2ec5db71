"""What is added up along the steps of a solver, to know how a density changes."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from odestudy.densities.fields import RightHandSide
from odestudy.ode._span import Span
from odestudy.ode._stepper import Stepper


class Formula(Protocol):
    """One way of computing the change of the log-density over one step."""

    def start(self, x: Tensor) -> None:
        """Called once before the first step of a solve."""

    def step(self, f: RightHandSide, stepper: Stepper, span: Span, y: Tensor) -> tuple[Tensor, Tensor]:
        """The state after the step and the gain in log-density, (n, d) and (n,)."""
