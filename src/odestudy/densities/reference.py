"""The continuous flow to a tight tolerance, with its Jacobian by the variational equation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from odestudy.densities.fields import RightHandSide
from odestudy.densities.jacobian import with_jacobian
from odestudy.ode import solve
from odestudy.runtime.outcome import NumericalFailure


@dataclass(frozen=True)
class Reference:
    """The end of the flow (n, d); the integral of the trace and log |det dz(1)/dx|, (n,) each.

    The two are computed apart: the second from dF/dt = (df/dz) F, F(0) = I, without the trace.
    """

    z: Tensor
    trace: Tensor
    logdet: Tensor


def reference(f: RightHandSide, x: Tensor, rtol: float = 1e-12, atol: float = 1e-13) -> Reference:
    """Solve state, trace integral and Jacobian together by dopri8, in float64.

    Raises:
        NumericalFailure: with the solver's status.
    """
    n, d = x.shape

    def right(t: Tensor, state: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        z, _, flow = state
        value, jacobian = with_jacobian(lambda y: f(t, y), z)
        return value, jacobian.diagonal(dim1=1, dim2=2).sum(1), jacobian @ flow

    start = (x, torch.zeros_like(x[:, 0]), torch.eye(d, dtype=x.dtype, device=x.device).repeat(n, 1, 1))
    with torch.no_grad():
        found = solve(right, start, [0.0, 1.0], method="dopri8", rtol=rtol, atol=atol, throw=False)
    if found.status != "ok":
        raise NumericalFailure(found.status, found.message)
    z, trace, flow = (part[-1] for part in found.ys)
    return Reference(z, trace, torch.linalg.slogdet(flow).logabsdet)
