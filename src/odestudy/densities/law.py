"""The law d log p(z(t)) / dt = -tr(df/dz) held against closed forms of linear flows."""

from __future__ import annotations

import torch
from torch import Tensor

from odestudy.densities.fields import LinearField
from odestudy.densities.normal import standard_normal
from odestudy.densities.reference import Reference


def closed_form_error(field: LinearField, truth: Reference) -> float:
    """Largest distance of log p by the integrated trace from the Gaussian in closed form, in nat."""
    root = field.data_root()
    x = truth.z @ root.T
    by_trace = standard_normal(truth.z) + truth.trace
    return float((by_trace - gaussian(x, root)).abs().max())


def gaussian(x: Tensor, root: Tensor) -> Tensor:
    """Log-density of N(0, root root^T) at x (n, d), through its covariance, (n,)."""
    covariance = root @ root.T
    inside = (x * torch.linalg.solve(covariance, x.T).T).sum(1)
    log_det = torch.linalg.slogdet(covariance).logabsdet
    return -(inside + log_det + x.shape[1] * torch.log(torch.tensor(2 * torch.pi, dtype=x.dtype))) / 2


def derivative_mismatch(field: LinearField, n: int = 64) -> dict[str, float]:
    """The derivative of log p along a trajectory, and at a fixed point of space, against minus the trace.

    Means of absolute values over n points at t = 1/2, in nat per unit of time, from the closed form.
    """
    generator = torch.Generator().manual_seed(0)
    a = field.a.detach()
    z = torch.randn(n, len(a), generator=generator, dtype=a.dtype).to(a).requires_grad_()
    t = torch.tensor(0.5, dtype=a.dtype, device=a.device, requires_grad=True)
    values = gaussian(z, torch.linalg.matrix_exp(-a * (1 - t)))
    in_time = torch.stack([torch.autograd.grad(v, t, retain_graph=True)[0] for v in values])
    (in_space,) = torch.autograd.grad(values.sum(), z)
    along = in_time + (in_space * (z.detach() @ a.T)).sum(1)
    return {
        "total_mismatch_nat": float((along + a.trace()).abs().mean()),
        "partial_mismatch_nat": float((in_time + a.trace()).abs().mean()),
    }
