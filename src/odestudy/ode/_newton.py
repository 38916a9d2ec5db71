"""Simplified Newton iterations for the stages of implicit methods (Hairer, Wanner II, section IV.8)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from odestudy.ode._jacobian import Shifted
from odestudy.ode._norms import linf
from odestudy.ode._step import VectorField
from odestudy.ode._stepper import StepStatus
from odestudy.ode._tolerance import Tolerance

MAX_ITERS = 10
LEAST_ETA = 0.01  # a stage that converged at once says little about the next one
ROUNDINGS = 100  # updates of so many units in the last place are no sign of divergence


@dataclass(frozen=True)
class Accuracy:
    """How far to iterate: until the largest element's error is below `fraction` of its allowed error."""

    tolerance: Tolerance
    fraction: float

    def allowed(self, y: Tensor) -> Tensor:
        """The size of an error that is just small enough, per element of y."""
        return (self.tolerance.scale(y.detach().abs()) * self.fraction).clamp_min_(torch.finfo(y.dtype).tiny)


@dataclass(frozen=True)
class Outcome:
    """The stage's increment z, the bound `eta` on error over update, the slowest rate seen, and why it failed (or None)."""

    z: Tensor
    eta: float
    rate: float
    status: StepStatus | None = None


@torch.no_grad()
def solve_stage(
    f: VectorField, time: Tensor, base: Tensor, z: Tensor, matrix: Shifted, allowed: Tensor, eta: float
) -> Outcome:
    """z = scale f(time, base + z), from a first guess of z; `eta` is the bound that the last stage left.

    Stops when eta |update| is allowed, gives up when the rate of convergence promises too little
    (eqs. IV.8.10, IV.8.11).
    """
    size, rate, update = math.inf, 0.0, z
    eta = max(eta, LEAST_ETA) ** 0.8
    for left in range(MAX_ITERS - 1, -1, -1):
        residual = torch.sub(f(time, base + z) * matrix.scale, z)
        update = matrix.solve(residual)
        before, size = size, float(linf(update / allowed))
        if not math.isfinite(size):
            finite = bool(torch.isfinite(residual).all())
            return Outcome(z, eta, 1.0, "newton_failed" if finite else "non_finite")
        z = z + update
        if before < math.inf:
            theta = size / before if before > 0 else 0.0
            rate = max(rate, theta)
            eta = theta / (1 - theta) if theta < 1 else math.inf
            if theta**left * eta * size > 1:
                break
        if eta * size <= 1:
            return Outcome(z, eta, rate)
    rounding = ROUNDINGS * torch.finfo(z.dtype).eps * (base.abs() + z.abs())
    if float(linf(update / (allowed + rounding))) <= 1:
        return Outcome(z, 1.0, rate)
    return Outcome(z, 1.0, 1.0, "newton_failed")
