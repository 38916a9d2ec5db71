"""The steps at which a solver's map stops being invertible."""

from __future__ import annotations

import torch
from torch import Tensor

from odestudy.densities.fields import RightHandSide
from odestudy.densities.transport import LogDeterminant, step_jacobian
from odestudy.ode._span import Span
from odestudy.ode._stepper import Stepper


class FoldWatch(LogDeterminant):
    """The log-determinant, which also notes how near the Jacobian of any step comes to being singular.

    Attributes:
        least_det, least_singular: smallest determinant and smallest singular value of any step of any sample.
        folded: the samples of which a step has turned over, its determinant not being positive, (n,).
    """

    def start(self, x: Tensor) -> None:
        self.least_det, self.least_singular = torch.inf, torch.inf
        self.folded = torch.zeros(len(x), dtype=torch.bool, device=x.device)

    def step(self, f: RightHandSide, stepper: Stepper, span: Span, y: Tensor) -> tuple[Tensor, Tensor]:
        end, jacobian = step_jacobian(f, stepper, span, y)
        sign, logabsdet = torch.linalg.slogdet(jacobian)
        self.least_det = min(self.least_det, float((sign * logabsdet.exp()).min()))
        self.least_singular = min(self.least_singular, float(torch.linalg.svdvals(jacobian).min()))
        self.folded |= sign <= 0
        return end, logabsdet
