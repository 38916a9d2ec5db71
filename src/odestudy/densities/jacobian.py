"""Jacobians of maps of a batch, one vector-Jacobian product a row, and what is read off them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Map = Callable[[Tensor], Tensor]


def with_jacobian(function: Map, z: Tensor) -> tuple[Tensor, Tensor]:
    """Values (n, d) and Jacobians (n, d, d) of a map that treats the samples of a batch apart; d products."""
    values, pull = torch.func.vjp(function, z)[:2]
    n, d = z.shape
    basis = torch.eye(d, dtype=z.dtype, device=z.device)[:, None, :].expand(d, n, d)
    (rows,) = torch.func.vmap(pull)(basis)
    return values, rows.transpose(0, 1)


def with_trace(function: Map, z: Tensor) -> tuple[Tensor, Tensor]:
    """Values (n, d) and the exact trace of the Jacobian (n,); d products."""
    values, jacobian = with_jacobian(function, z)
    return values, jacobian.diagonal(dim1=1, dim2=2).sum(1)


def with_estimate(function: Map, z: Tensor, probes: Tensor) -> tuple[Tensor, Tensor]:
    """Values and Hutchinson's estimate, the mean of e^T J e over probes (k, n, d); k products.

    Source: Hutchinson 1990; Grathwohl et al. 2018, eq. 7.
    """
    values, pull = torch.func.vjp(function, z)[:2]
    (products,) = torch.func.vmap(pull)(probes)
    return values, (products * probes).sum(2).mean(0)
