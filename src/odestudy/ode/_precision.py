"""The precision of times and of where in a step a state is wanted: float64, on devices that have it."""

from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=64)
def wide(device: torch.device) -> torch.dtype:
    """float64, or float32 on a device that has none (Apple's, some of Intel's)."""
    try:
        with torch.inference_mode(False):
            torch.ones((), dtype=torch.float64, device=device).add(1.0)
    except (TypeError, RuntimeError, NotImplementedError):
        return torch.float32
    return torch.float64


def on(device: torch.device, x: Tensor) -> Tensor:
    """x on the device, in float32 where it is of float64 and the device has none."""
    return x.to(device, wide(device)) if x.dtype == torch.float64 else x.to(device)


def as_like(x: Tensor, like: Tensor) -> Tensor:
    """x of the device and type of `like`, the type changed on the way only where both devices have it."""
    return x.to(like) if wide(x.device) == torch.float64 else x.to(like.device).to(like.dtype)
