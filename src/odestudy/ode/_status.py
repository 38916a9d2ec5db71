"""How a solve ended: a status with a text, or the same as an exception."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Status = Literal[
    "ok",
    "step_size_underflow",
    "non_finite",
    "newton_failed",
    "max_steps",
    "out_of_memory",
    "timeout",
]
STATUSES: tuple[str, ...] = get_args(Status)


@dataclass(frozen=True)
class Failure:
    """Why a solve stopped early."""

    status: Status
    message: str


class SolveError(RuntimeError):
    """A failed solve as an exception; carries the `status` that `solve` would have returned."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.status}: {failure.message}")
        self.status: Status = failure.status
        self.failure = failure

    def __reduce__(self) -> tuple[type["SolveError"], tuple[Failure]]:
        return SolveError, (
            self.failure,
        )  # an exception is otherwise rebuilt from its text, which is no Failure


def choose(what: str, name: Any, known: Mapping[str, Any] | tuple[str, ...]) -> None:
    """Raises ValueError that lists the known names if `name` is not among them."""
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"unknown {what} {name!r}; known are: {', '.join(sorted(known))}")
