"""Constants as tensors on the device, made once: an operation with one costs half of one with a number."""

from functools import lru_cache

import torch
from torch import Tensor

from odestudy.ode._precision import wide


def constant(value: float, like: Tensor) -> Tensor:
    """The number as a scalar tensor of the precision and on the device of `like`; for use without gradient."""
    return _constant(value, like.dtype, like.device)


@lru_cache(maxsize=1024)
def _constant(value: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        return torch.full((), value, dtype=dtype, device=device)


def nodes_tensor(nodes: tuple[float, ...], device: torch.device) -> Tensor:
    """The nodes on the device, as precise as times are there."""
    return table((nodes,), device, wide(device))[0]


@lru_cache(maxsize=256)
def table(rows: tuple[tuple[float, ...], ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    """The rows of numbers as a matrix."""
    with torch.inference_mode(False):
        return torch.tensor(rows, dtype=dtype, device=device)


def powers(theta: Tensor, most: int) -> Tensor:
    """theta, theta^2 .. theta^most, shape [len(theta), most]."""
    return theta[:, None] ** nodes_tensor(tuple(range(1, most + 1)), theta.device)
