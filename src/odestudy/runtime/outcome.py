"""The result of a task: rows by name, arrays by name, and numerical failure as a status."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

STATUSES = (
    "ok",
    "step_size_underflow",
    "non_finite",
    "newton_failed",
    "max_steps",
    "out_of_memory",
    "timeout",
)

Row = dict[str, Any]


class NumericalFailure(Exception):
    """The numerics failed, which is a result: a task records it as the status of one row and goes on.

    Attributes:
        status: one of STATUSES other than ok.
    """

    def __init__(self, status: str, message: str) -> None:
        if status not in STATUSES[1:]:
            raise ValueError(f"status {status!r}; allowed: {', '.join(STATUSES[1:])}")
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Outcome:
    """The result of one job.

    Attributes:
        rows: name of a kind of rows (`runs`, `epochs`, ...) -> rows of plain numbers, texts and booleans. Each
            row of `runs` has a `status`.
        arrays: name -> array, stored beside the metrics.
    """

    rows: dict[str, list[Row]]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
