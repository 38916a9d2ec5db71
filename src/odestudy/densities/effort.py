"""The work of a flow: evaluations of an adaptive solver, and the Lipschitz constant along its paths."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from odestudy.densities.jacobian import with_jacobian
from odestudy.densities.transport import Grid, path
from odestudy.ode import solve
from odestudy.runtime.outcome import NumericalFailure

STEPS = 16


def effort(f: nn.Module, x: Tensor) -> dict[str, float]:
    """Evaluations of dopri5 at a tolerance of 1e-5, and the largest spectral norm of df/dz met on the way.

    Raises:
        NumericalFailure: the adaptive solver fails.
    """
    with torch.no_grad():
        found = solve(f, x, [0.0, 1.0], method="dopri5", rtol=1e-5, atol=1e-5, throw=False)
    if found.status != "ok":
        raise NumericalFailure(found.status, found.message)
    states = path(f, x, Grid("rk4", STEPS))
    largest = 0.0
    for i, z in enumerate(states):
        t = torch.tensor(i / STEPS, dtype=x.dtype)
        jacobian = with_jacobian(partial(f, t), z)[1]
        largest = max(largest, float(torch.linalg.matrix_norm(jacobian.detach(), ord=2).max()))
    return {"nfe": found.stats.nfe, "lipschitz": largest}
