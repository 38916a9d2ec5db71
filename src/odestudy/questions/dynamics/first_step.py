"""What theory says of the first step of a continuous adjoint: where it is too small to move the time at all.

A solver without a first step given takes at most d0 / d1, the norm of the state over that of the slope, each over its
tolerance (Hairer, Nørsett, Wanner I, section II.4, with the factor of a hundred that both libraries allow). The
parameters' part of the adjoint starts at zero, so its tolerance is atol, while its slope a z^T grows with the square of
the trajectory. A norm that counts this part makes the first step shrink like exp(-2 growth).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from odestudy.questions.dynamics.unstable_case import Case, exact

if TYPE_CHECKING:
    from odestudy.questions.dynamics.params import Crash

# Steps shorter than that many spacings of numbers at the time count as none: t + dt == t by rounding in torchdiffeq
# (rk_common.py), and a bound of our own loop.
SPACINGS = {"torchdiffeq": 0.5, "odestudy": 4.0}
RESOLUTION = 1.005  # of the products that are tried


def predicted(params: Crash, seed: int, loss: str, precision: str) -> float:
    """The smallest product of eigenvalue and horizon at which the first step backward is none; infinite for none.

    ASSUME the second derivative does not shorten the step further, and rounding before the backward solve does not
    matter.
    """
    if params.gradient not in ("adjoint", "adjoint_seminorm", "quadrature"):
        return math.inf  # no backward solve
    n = math.ceil(math.log(params.growths[-1]) / math.log(RESOLUTION))
    for growth in np.geomspace(1.0, params.growths[-1], n).tolist():
        case = Case.of(params.problem, growth, seed, params.offset, params.points, loss)
        if _is_none(params, case, precision):
            return growth
    return math.inf


def _is_none(params: Crash, case: Case, precision: str) -> bool:
    parts = _parts(case, counts_parameters=params.gradient == "adjoint")
    tolerances = [params.atol + params.rtol * state.abs() for state, _ in parts]
    states = [state / tol for (state, _), tol in zip(parts, tolerances, strict=True)]
    slopes = [slope / tol for (_, slope), tol in zip(parts, tolerances, strict=True)]
    largest = max(float(slope.abs().max()) for slope in slopes)
    if precision == "float32" and largest > math.sqrt(torch.finfo(torch.float32).max):
        # The norm squares what single precision cannot hold. torchdiffeq then takes a step of zero; ours starts with a
        # millionth instead.
        return params.library == "torchdiffeq"
    step = max(map(_rms, states)) / max(map(_rms, slopes))
    return step < SPACINGS[params.library] * math.ulp(float(case.t[-1]))


def _parts(case: Case, *, counts_parameters: bool) -> list[tuple[Tensor, Tensor]]:
    """State and slope of each part of the backward solve that its norm counts, at the last time; closed form."""
    z = exact(case.model, case.start, case.t[-1:])[0]
    adjoint = 2 * (z - case.target[-1]) / (case.target.numel() * case.scale)
    parts = [(z, case.model @ z), (adjoint, case.model.T @ adjoint)]
    if counts_parameters:
        parts.append((torch.zeros_like(case.model), torch.outer(adjoint, z)))
    return parts


def _rms(x: Tensor) -> float:
    return float(x.square().mean().sqrt())
