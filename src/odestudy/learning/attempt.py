"""Measuring what may fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.integrate import named_failure
from odestudy.runtime.outcome import Row


def attempt(work: Callable[..., Row], *arguments: Any) -> Row:
    """What work(*arguments) measured, with status ok, or the numerical failure as a status; a bug stays an exception."""
    try:
        return {"status": "ok", "message": "", **work(*arguments)}
    except Exception as error:
        failure = named_failure(error)
        if failure is None:
            raise
        return {"status": failure.status, "message": str(failure)}
