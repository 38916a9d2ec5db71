"""The tight inverse of the map as computed: Newton's method on each step, last step first."""

from __future__ import annotations

import torch
from torch import Tensor

from odestudy.densities.fields import RightHandSide
from odestudy.densities.transport import Grid, step_jacobian

CORRECTIONS = 4  # for each Jacobian: the first one is Newton's, the others keep its factors


def invert(f: RightHandSide, z: Tensor, grid: Grid, jacobians: int = 3) -> tuple[Tensor, Tensor]:
    """Carry base points z (n, d) back to data; points and the largest residual of any step, (n, d) and (n,).

    The solver run backwards is only the first guess. Where the map folds there may be no inverse, or several: the
    residual, or a point that is not finite, tells where none was found. `jacobians` are formed for each step.
    """
    stepper, worst = grid.stepper, torch.zeros_like(z[:, 0])
    with torch.no_grad():
        for span in reversed(grid.spans(z)):
            start = time_reversed(f, z, span.t, span.dt)
            for _ in range(jacobians):
                end, jacobian = step_jacobian(f, stepper, span, start)
                factors, pivots, _ = torch.linalg.lu_factor_ex(jacobian)
                for _ in range(CORRECTIONS):
                    start = start - torch.linalg.lu_solve(factors, pivots, (end - z)[..., None])[..., 0]
                    end = stepper.step(f, span, start, None).y1
            worst = torch.maximum(worst, (end - z).norm(dim=1).nan_to_num(torch.inf))
            z = start
    return z, worst


def time_reversed(f: RightHandSide, z: Tensor, t: float | Tensor, dt: float | Tensor) -> Tensor:
    """A first guess of the start of a step: the explicit midpoint method with the step's sign turned."""
    t = torch.as_tensor(t, dtype=z.dtype, device=z.device)
    middle = z - dt / 2 * f(t + dt, z)
    return z - dt * f(t + dt / 2, middle)
