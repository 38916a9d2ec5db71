"""A numerical failure is a row with a status."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.integrate import named_failure
from odestudy.runtime.outcome import Row


def attempt(work: Callable[..., Row], *args: Any) -> Row:
    """What `work` measures; where the numerics fail, status and message instead. Bugs are raised."""
    try:
        return work(*args)
    except Exception as error:
        failure = named_failure(error)
        if failure is None:
            raise
        return {"status": failure.status, "message": str(failure)}
