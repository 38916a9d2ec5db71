"""Arrays for pictures of a fitted density: values on a lattice, samples, and a flow at some moments of its way."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from odestudy.densities.certificate import Density
from odestudy.densities.laws import Target
from odestudy.densities.models.flow import FlowDensity
from odestudy.densities.normal import standard_normal
from odestudy.densities.plane import lattice
from odestudy.densities.transport import Grid, log_density, path

MOMENTS = 16  # frames of a flow, but for its first
SHOWN, WAYS = 1000, 60  # samples, and samples whose whole way is drawn


def pictures(density: Density, target: Target, points: int) -> dict[str, np.ndarray]:
    """Arrays by name, float32; nothing beyond space.

    Always `extent`, `target` and `density` on a lattice of points^2 (in space a cut through the origin) and `samples`.
    Of a flow `frame_t` from 1 (base) to 0 (data), `drifting` (samples then, frames x n x d), and in the plane
    `frames` (density then, on the lattice) and `paths` of samples of the target; in space `drifting_log` (log-density
    at the samples then) and `expected` (samples of the target).
    """
    if target.d > 3:
        return {}
    where, _, extent = lattice(target, points)
    where = pad(where, (0, target.d - 2))
    drawn = density.sample(SHOWN, np.random.default_rng(0))
    arrays: dict[str, Tensor | np.ndarray] = {
        "extent": extent,
        "target": target.log_prob(where).exp(),
        "density": density.log_prob(where).exp(),
        "samples": drawn,
    }
    if isinstance(density, FlowDensity):
        arrays |= _moving(density, target, where, drawn)
    return {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()}


def _moving(
    flow: FlowDensity, target: Target, where: Tensor, drawn: Tensor
) -> dict[str, Tensor | np.ndarray]:
    drifting = path(flow.f, drawn, Grid("rk4", MOMENTS)).flip(0)
    moments = 1 - np.arange(MOMENTS + 1) / MOMENTS
    arrays: dict[str, Tensor | np.ndarray] = {"frame_t": moments, "drifting": drifting}
    if target.d == 2:
        arrays["frames"] = torch.stack([_log_density_at(flow, where, t).exp() for t in moments])
        arrays["paths"] = path(flow.f, target.sample(WAYS, np.random.default_rng(1)), flow.grid)
    else:
        pairs = zip(drifting, moments, strict=True)
        arrays["drifting_log"] = torch.stack([_log_density_at(flow, z, t) for z, t in pairs])
        arrays["expected"] = target.sample(SHOWN, np.random.default_rng(2))
    return arrays


def _log_density_at(flow: FlowDensity, z: Tensor, t: float) -> Tensor:
    """Log-density at z of what is on its way at time t; the base at t = 1."""
    if t == 1:
        return standard_normal(z)
    steps = max(1, round(flow.grid.steps * (1 - t)))
    return log_density(flow.f, z, Grid("rk4", steps, t), "trace")
