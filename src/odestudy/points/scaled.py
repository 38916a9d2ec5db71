"""A density in the units of the data, from one in standardised coordinates, and its file."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from odestudy.densities.fields import Field
from odestudy.densities.models.flow import FlowDensity
from odestudy.densities.transport import Grid
from odestudy.errors import DataError
from odestudy.runtime.files import write_atomically

FORMAT = 2


@dataclass(frozen=True)
class Scaled:
    """The flow of (x - centre) / scale, with the volume of the scaling; centre and scale (d,)."""

    flow: FlowDensity
    centre: Tensor
    scale: Tensor

    def standardised(self, x: Tensor) -> Tensor:
        return (x - self.centre) / self.scale

    def log_prob(self, x: ArrayLike | Tensor) -> Tensor:
        """Log-density at x (n, d), in nat, (n,) float64."""
        at = self.standardised(torch.as_tensor(x, dtype=torch.float64))
        return self.flow.log_prob(at) - self.scale.log().sum()

    def sample(self, n: int, rng: np.random.Generator | None = None) -> Tensor:
        """Independent samples, (n, d) float64."""
        drawn = self.flow.sample(n, rng or np.random.default_rng())
        return torch.addcmul(self.centre, drawn, self.scale)


def save(density: Scaled, path: Path) -> None:
    """Weights, units and steps, as `load` reads them (torch.load with weights_only)."""
    flow = density.flow
    content = {
        "format": FORMAT,
        "field": flow.f.state_dict(),
        "centre": density.centre,
        "scale": density.scale,
        "method": flow.grid.method,
        "steps": flow.grid.steps,
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(path, buffer.getvalue())


def load(path: Path | str) -> Scaled:
    """A density that `save` wrote.

    Raises:
        DataError: the file was written by another version.
    """
    content = torch.load(path, weights_only=True)
    if content.get("format") != FORMAT:
        raise DataError(f"{path}: format {content.get('format')}; this version reads {FORMAT}: fit again")
    width, d = content["field"]["first.weight"].shape
    field = Field(d, width).double().requires_grad_(False)
    field.load_state_dict(content["field"])
    flow = FlowDensity(field, Grid(content["method"], content["steps"]), d)
    return Scaled(flow, content["centre"], content["scale"])
