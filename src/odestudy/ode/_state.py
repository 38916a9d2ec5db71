"""The state of an initial value problem as its caller gives it: a tensor, or a tuple of tensors."""

from torch import Tensor

State = Tensor | tuple[Tensor, ...]
