"""What a row says of a numerical failure, where the row keeps more than that; see also odestudy.learning.attempt."""

from __future__ import annotations

from odestudy.integrate import named_failure
from odestudy.outcome import Row


def failed(error: Exception) -> Row:
    """Status and message of the numerical failure that an exception stands for.

    Raises:
        Exception: `error` itself, where it is a bug.
    """
    failure = named_failure(error)
    if failure is None:
        raise error
    return {"status": failure.status, "message": str(failure)}
