"""The tight inverse of the map as computed: Newton's method on each step, last step first."""

from __future__ import annotations

import torch
from torch import Tensor

from odestudy.densities.fields import RightHandSide
from odestudy.densities.transport import Grid, step_jacobian


def invert(f: RightHandSide, z: Tensor, grid: Grid, iterations: int = 8) -> tuple[Tensor, Tensor]:
    """Carry base points z (n, d) back to data; points and the largest residual of any step, (n, d) and (n,).

    The solver run backwards is only the first guess. Where the map folds there may be no inverse, or several: the
    residual tells where none was found.
    """
    stepper, worst = grid.stepper, torch.zeros_like(z[:, 0])
    with torch.no_grad():
        for span in reversed(grid.spans(z)):
            start = time_reversed(f, z, span.t, span.dt)
            for _ in range(iterations):
                end, jacobian = step_jacobian(f, stepper, span, start)
                start = start - torch.linalg.lstsq(jacobian, (end - z)[..., None]).solution[..., 0]
            residual = (stepper.step(f, span, start, None).y1 - z).norm(dim=1)
            worst = torch.maximum(worst, residual.nan_to_num(torch.inf))
            z = start
    return z, worst


def time_reversed(f: RightHandSide, z: Tensor, t: float | Tensor, dt: float | Tensor) -> Tensor:
    """A first guess of the start of a step: the explicit midpoint method with the step's sign turned."""
    t = torch.as_tensor(t, dtype=z.dtype, device=z.device)
    middle = z - dt / 2 * f(t + dt, z)
    return z - dt * f(t + dt / 2, middle)
