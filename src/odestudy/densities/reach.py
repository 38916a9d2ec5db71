"""Maps that no flow in their own dimension can be: an exchange of two points, and nested spheres."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from odestudy.densities.fields import Field
from odestudy.densities.transport import Grid, path

Task = Callable[[int, np.random.Generator], tuple[Tensor, Tensor]]


def exchange(n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """The points 1 and -1 on the line, and where they are to go: -1 and 1."""
    x = torch.tensor([[1.0], [-1.0]])
    return x, -x[:, 0]


def spheres(n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A disc of radius 1/2, value -1, in a ring of radii 1 to 3/2, value 1 (Dupont et al. 2019, section 4.1)."""
    outside = rng.random(n) < 0.5
    radius = np.where(outside, np.sqrt(rng.uniform(1.0, 2.25, n)), 0.5 * np.sqrt(rng.random(n)))
    angle = rng.uniform(0, 2 * np.pi, n)
    x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return torch.from_numpy(x).float(), torch.from_numpy(np.where(outside, 1.0, -1.0)).float()


TASKS: dict[str, Task] = {"exchange": exchange, "spheres": spheres}


class Reach(nn.Module):
    """A flow in d + augment dimensions, the added ones starting at zero, and what is read off its end.

    On the line the first coordinate itself is read, so that the flow has to do the work; otherwise a linear form.
    """

    def __init__(self, d: int, augment: int, width: int) -> None:
        super().__init__()
        self.augment = augment
        self.field = Field(d + augment, width)
        self.read: nn.Module = nn.Identity() if d == 1 else nn.Linear(d + augment, 1)

    def ways(self, x: Tensor, grid: Grid) -> Tensor:
        """States on the way, (steps + 1, n, d + augment)."""
        return path(self.field, nn.functional.pad(x, (0, self.augment)), grid)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        return self.read(self.ways(x, grid)[-1])[:, 0]
