"""Problems with known solutions, shared by the solver's tests."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

F64 = torch.float64


class Mlp(nn.Module):
    """A small vector field, time-dependent, with parameters, in float64."""

    def __init__(self, dim: int = 2, hidden: int = 8, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.w1 = nn.Parameter(0.8 * torch.randn(hidden, dim + 1, dtype=F64, generator=generator))
        self.w2 = nn.Parameter(0.5 * torch.randn(dim, hidden, dtype=F64, generator=generator))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        time = t.to(y.dtype).expand(*y.shape[:-1], 1)
        return torch.tanh(torch.cat([y, time], -1) @ self.w1.T) @ self.w2.T


def rotation(t: Tensor, y: Tensor) -> Tensor:
    """y' = (y2, -y1): circles."""
    return torch.stack([y[..., 1], -y[..., 0]], -1)


def rotated(t: float) -> Tensor:
    """The solution of `rotation` from (1, 0)."""
    return torch.tensor([math.cos(t), -math.sin(t)], dtype=F64)


def forced(t: Tensor, y: Tensor) -> Tensor:
    """y' = y cos t, non-autonomous; y = y0 exp(sin t)."""
    return y * torch.cos(t)


def pulled(t: Tensor, y: Tensor) -> Tensor:
    """y' = -(y - cos 2t) - 2 sin 2t: y = cos 2t from y = 1 on (Prothero, Robinson 1974)."""
    return -(y - torch.cos(2 * t)) - 2 * torch.sin(2 * t)


def saved_bytes(run: Callable[[], object]) -> int:
    """Bytes of the distinct tensors that autograd keeps for the backward pass."""
    kept: dict[int, int] = {}

    def pack(x: Tensor) -> Tensor:
        kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        result = run()
    assert result is not None
    return sum(kept.values())
