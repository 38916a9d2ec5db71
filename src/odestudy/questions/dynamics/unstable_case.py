"""An unstable linear system, a model that is a little off it, and the loss between the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from odestudy.questions.dynamics.params import Unstable

START = (0.6, 0.3)


class MatrixDynamics(nn.Module):
    """dz/dt = A z."""

    def __init__(self, a: Tensor) -> None:
        super().__init__()
        self.a = nn.Parameter(a)

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        return z @ self.a.T


@dataclass(frozen=True)
class Case:
    """What one gradient is computed of; float64.

    Attributes:
        model: (2, 2) matrix at which it is computed; t: (n,); start: (2,); target: (n, 2); scale: what the mean square is
            divided by.
    """

    model: Tensor
    t: Tensor
    start: Tensor
    target: Tensor
    scale: float

    @classmethod
    def of(cls, problem: Unstable, growth: float, seed: int, offset: float, points: int, loss: str) -> Case:
        """A horizon of `growth` over the growing eigenvalue's real part, a model whose entries are `offset` off."""
        true = matrix(problem.form, problem.rate)
        model = true + offset * torch.from_numpy(np.random.default_rng(seed).standard_normal((2, 2)))
        t = torch.linspace(0, growth / problem.rate, points, dtype=torch.float64)
        start = torch.tensor(START, dtype=torch.float64)
        target = exact(true, start, t)
        return cls(model, t, start, target, float(target.square().mean()) if loss == "normalised" else 1.0)


def matrix(form: str, rate: float) -> Tensor:
    """Eigenvalues rate +- i (`rotation`), or rate and -rate (`saddle`)."""
    rows = {"rotation": [[rate, -1.0], [1.0, rate]], "saddle": [[rate, 0.0], [0.0, -rate]]}
    return torch.tensor(rows[form], dtype=torch.float64)


def exact(a: Tensor, start: Tensor, t: Tensor) -> Tensor:
    """exp(A t) z0 at all times, (n, d)."""
    return torch.linalg.matrix_exp(t[:, None, None] * a) @ start
