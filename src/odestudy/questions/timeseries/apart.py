"""A seed that fails ends by itself, and not the seeds that are trained with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from odestudy.integrate import named_failure
from odestudy.runtime.outcome import Outcome, Row
from odestudy.runtime.parameters import Parameters

P = TypeVar("P", bound=Parameters)
Task = Callable[[P, str], Outcome]


def apart_on_failure(task: Task[P]) -> Task[P]:
    """A solve that fails ends the whole stack of seeds; then each seed runs by itself, and fails by itself."""

    def run(params: P, device: str) -> Outcome:
        try:
            return task(params, device)
        except Exception as error:
            failure = named_failure(error)
            if failure is None:
                raise
            if len(params.seeds) == 1:
                row: Row = {"seed": params.seeds[0], "status": failure.status, "message": str(failure)}
                return Outcome({"runs": [row]})
        return _together([run(params.model_copy(update={"seeds": [s]}), device) for s in params.seeds])

    return run


def _together(outcomes: list[Outcome]) -> Outcome:
    """All rows, and the arrays of the first outcome that has any."""
    names = dict.fromkeys(name for outcome in outcomes for name in outcome.rows)
    rows = {name: [row for outcome in outcomes for row in outcome.rows.get(name, [])] for name in names}
    return Outcome(rows, next((outcome.arrays for outcome in outcomes if outcome.arrays), {}))
