"""A count of the numbers of two results that differ in their bits."""

from __future__ import annotations

import torch
from torch import Tensor

INTEGERS = {torch.float32: torch.int32, torch.float64: torch.int64}


def differing(one: Tensor, other: Tensor) -> int:
    """The number of elements whose bits differ; minus zero and zero differ, too.

    Raises:
        ValueError: shapes or types differ.
    """
    if one.shape != other.shape or one.dtype != other.dtype:
        raise ValueError(f"{tuple(one.shape)} of {one.dtype} against {tuple(other.shape)} of {other.dtype}")
    kind = INTEGERS[one.dtype]
    return int((one.contiguous().view(kind) != other.contiguous().view(kind)).sum())
