"""Choice of the step size: PID control of the error, and the first step."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from odestudy.ode._step import VectorField
from odestudy.ode._tolerance import Tolerance

SMALLEST_RATIO = 1e-4  # a lucky step must not shrink the next one (dopri5.f: FACOLD = max(ERR, 1e-4))


@dataclass(frozen=True)
class PIDController:
    """dt_next = dt safety e_n^(-b1/k) e_(n-1)^(-b2/k) e_(n-2)^(-b3/k), e the error ratios.

    k is the power of dt with which they shrink; b1 = pcoeff + icoeff + dcoeff, b2 = -(pcoeff + 2 dcoeff),
    b3 = dcoeff; pcoeff = dcoeff = 0 is the classical choice. Raises ValueError for limits that could not
    control. Sources: Hairer, Nørsett, Wanner II, eq. IV.2.43; Söderlind 2003, Numerical Algorithms 31.
    """

    pcoeff: float = 0.0
    icoeff: float = 1.0
    dcoeff: float = 0.0
    safety: float = 0.9
    factor_min: float = 0.2
    factor_max: float = 10.0

    def __post_init__(self) -> None:
        if not (0 < self.safety <= 1 and 0 < self.factor_min <= 1 <= self.factor_max):
            raise ValueError(
                f"safety {self.safety}, factor_min {self.factor_min}, factor_max {self.factor_max}: need "
                "0 < safety <= 1 and 0 < factor_min <= 1 <= factor_max"
            )

    @property
    def coefficients(self) -> tuple[float, float, float]:
        """(b1, b2, b3)."""
        return self.pcoeff + self.icoeff + self.dcoeff, -self.pcoeff - 2 * self.dcoeff, self.dcoeff

    def factor(self, ratio: float, previous: tuple[float, float], k: int, growth: bool = True) -> float:
        """By how much to multiply dt after a step with this error ratio; not above 1 unless `growth`."""
        if not ratio < float("inf"):
            return self.factor_min
        b1, b2, b3 = self.coefficients
        wanted = self.safety * max(ratio, 1e-10) ** (-b1 / k)
        wanted *= previous[0] ** (-b2 / k) * previous[1] ** (-b3 / k)
        return min(self.factor_max if growth else 1.0, max(self.factor_min, wanted))

    def factors(self, ratios: np.ndarray, previous: np.ndarray, k: int, growth: np.ndarray) -> np.ndarray:
        """`factor` for several solves at once, shape [n]; `previous` is of shape [n, 2]."""
        b1, b2, b3 = self.coefficients
        finite = np.where(ratios < np.inf, ratios, 1.0)
        wanted = self.safety * np.maximum(finite, 1e-10) ** (-b1 / k)
        if b2 or b3:
            wanted = wanted * previous[:, 0] ** (-b2 / k) * previous[:, 1] ** (-b3 / k)
        limited = np.minimum(np.where(growth, self.factor_max, 1.0), np.maximum(self.factor_min, wanted))
        return np.where(ratios < np.inf, limited, self.factor_min)


@torch.no_grad()
def initial_step(
    f: VectorField, t: Tensor, y: Tensor, f0: Tensor, span: float, k: int, tol: Tolerance
) -> float:
    """A first dt, signed like `span`, for one evaluation more (HNW I, section II.4, "starting step size").

    k is the power of dt with which the error estimate shrinks; `f0` = f(t, y) is used, not evaluated again.
    """
    scale = tol.scale(y.abs())
    d0, d1 = torch.stack([tol.norm(y / scale), tol.norm(f0 / scale)]).tolist()
    h0 = 1e-6 if d0 < 1e-5 or d1 < 1e-5 else 0.01 * d0 / d1
    h0 = min(h0, abs(span))
    if not 0 < h0 < float("inf"):
        return math.copysign(min(1e-6 * abs(span), 1e-6), span)  # span is infinite on the way to an event
    signed = h0 if span > 0 else -h0
    f1 = f(t + signed, y + signed * f0)
    d2 = float(tol.norm((f1 - f0) / scale)) / h0
    steepest = max(d1, d2)
    if not steepest < float("inf"):
        return signed * 0.01
    h1 = max(1e-6, h0 * 1e-3) if steepest <= 1e-15 else (0.01 / steepest) ** (1.0 / k)
    h = min(100 * h0, h1, abs(span))
    return h if span > 0 else -h
