"""Constants as tensors on the device, made once: an operation with one costs half of one with a number."""

from functools import lru_cache

import torch
from torch import Tensor


def constant(value: float, like: Tensor) -> Tensor:
    """The number as a scalar tensor of the precision and on the device of `like`; for use without gradient."""
    return _constant(value, like.dtype, like.device)


@lru_cache(maxsize=1024)
def _constant(value: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        return torch.full((), value, dtype=dtype, device=device)


@lru_cache(maxsize=256)
def nodes_tensor(nodes: tuple[float, ...], device: torch.device) -> Tensor:
    """The nodes as float64 on the device."""
    with torch.inference_mode(False):
        return torch.tensor(nodes, dtype=torch.float64, device=device)
