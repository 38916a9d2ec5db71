"""Jacobians of f in y as square blocks, and the linear systems of implicit steps that they make."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from odestudy.ode._step import VectorField

Analytic = Callable[[Tensor, Tensor], Tensor]
Jacobian = str | Analytic
JACOBIANS = ("full", "per_sample")


def check_jacobian(kind: Jacobian) -> None:
    """Raises ValueError unless it is the name of a kind or a callable."""
    if not callable(kind) and kind not in JACOBIANS:
        raise ValueError(
            f"option 'jacobian' must be one of {', '.join(JACOBIANS)}, or a callable jacobian(t, y) that gives "
            f"df/dy, got {kind!r}"
        )


def jacobian(f: VectorField, time: Tensor, y: Tensor, kind: Jacobian) -> Tensor:
    """df/dy at one state, detached: shape [1, n, n], or [batch, n, n] of a batch whose samples are apart.

    The blocks act on the flat state in turn; what is left of it counts as uncoupled.
    """
    if callable(kind):
        given = kind(time, y).detach()
        return given.reshape(given.shape[:-2].numel(), *given.shape[-2:])
    x = y.detach().requires_grad_()
    with torch.enable_grad():
        slope = f(time.detach(), x)
    return rows(slope, x, kind).detach()


def rows(slope: Tensor, y: Tensor, kind: str) -> Tensor:
    """The Jacobian of a slope that autograd has followed from y, all its rows in one backward pass."""
    if kind == "per_sample" and y.ndim < 2:
        raise ValueError(f"option jacobian 'per_sample' needs one tensor [batch, ...], got {tuple(y.shape)}")
    batch = 1 if kind == "full" else y.shape[0]
    n = y.numel() // max(batch, 1)
    if not slope.requires_grad or y.numel() == 0:
        return y.new_zeros(batch, n, n)
    unit = torch.eye(n, dtype=y.dtype, device=y.device)[:, None, :].expand(n, batch, n)
    (grads,) = torch.autograd.grad(
        slope, y, unit.reshape(n, *y.shape), retain_graph=True, allow_unused=True, is_grads_batched=True
    )
    if grads is None:
        return y.new_zeros(batch, n, n)
    return grads.reshape(n, batch, n).transpose(0, 1)


@dataclass(frozen=True)
class Shifted:
    """I - scale J, factorized; `jacobian` has shape [blocks, n, n]."""

    jacobian: Tensor
    scale: float
    lu: Tensor
    pivots: Tensor

    @staticmethod
    def of(jacobian: Tensor, scale: float) -> "Shifted":
        """Factorizes; a singular matrix shows as solutions that are not finite."""
        unit = torch.eye(jacobian.shape[-1], dtype=jacobian.dtype, device=jacobian.device)
        lu, pivots, _ = torch.linalg.lu_factor_ex(torch.sub(unit, jacobian, alpha=scale))
        return Shifted(jacobian, scale, lu, pivots)

    def solve(self, r: Tensor, transposed: bool = False) -> Tensor:
        """x of the shape of r with (I - scale J) x = r, or with the transposed matrix."""
        blocks, n, _ = self.lu.shape
        flat = r.reshape(-1)
        right = flat[: blocks * n].reshape(blocks, n, 1)
        x = torch.linalg.lu_solve(self.lu, self.pivots, right, adjoint=transposed).reshape(-1)
        return (x if blocks * n == flat.numel() else torch.cat([x, flat[blocks * n :]])).reshape(r.shape)
