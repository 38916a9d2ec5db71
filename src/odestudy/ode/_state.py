"""The state of an initial value problem as its caller gives it: a tensor, or a tuple of tensors."""

from typing import TypeVar

from torch import Tensor

State = Tensor | tuple[Tensor, ...]
S = TypeVar("S", Tensor, tuple[Tensor, ...])
V = TypeVar("V", Tensor, tuple[Tensor, ...])
