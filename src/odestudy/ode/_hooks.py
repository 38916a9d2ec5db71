"""The callbacks that torchdiffeq looks for on the dynamics: callback_step, _accept_step, _reject_step."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

Hook = Callable[[float, Tensor, float], None]


def nothing(t: float, y: Tensor, dt: float) -> None:
    """Called where no callback is set."""


@dataclass(frozen=True)
class Hooks:
    """Called before each attempted step, and after an accepted or a rejected one, with (t, y, dt)."""

    step: Hook = nothing
    accept: Hook = nothing
    reject: Hook = nothing


NO_HOOKS = Hooks()
