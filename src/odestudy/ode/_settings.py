"""The types of what `solve` is told beside the problem; its documentation says what each is."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from torch import Tensor, nn

from odestudy.ode._controller import PIDController
from odestudy.ode._event import Direction, EventFn
from odestudy.ode._methods import Method
from odestudy.ode._norms import Norm


class Settings(TypedDict, total=False):
    """As in the signature of `solve`."""

    method: Method
    rtol: float | Tensor | Sequence[Any]
    atol: float | Tensor | Sequence[Any]
    dt0: float | None
    grid: Tensor | Sequence[float] | None
    gradient: str
    norm: str | Norm | None
    adjoint_norm: str
    controller: PIDController | None
    dtmin: float
    dtmax: float
    max_steps: int
    step_t: Sequence[float]
    jump_t: Sequence[float]
    params: Iterable[Tensor] | nn.Module | None
    dense: bool
    event_fn: EventFn | None
    event_direction: Direction
    options: Mapping[str, Any] | None
    compile: bool | str
    throw: bool
