"""The tasks of this question: name -> function from typed parameters and a device to rows and arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.questions.timeseries.apart import apart_on_failure
from odestudy.questions.timeseries.batching import batching
from odestudy.questions.timeseries.forecast import forecast
from odestudy.questions.timeseries.temperatures import temperatures
from odestudy.runtime.outcome import Outcome

TASKS: dict[str, Callable[[Any, str], Outcome]] = {
    "timeseries.forecast": apart_on_failure(forecast),
    "timeseries.temperatures": apart_on_failure(temperatures),
    "timeseries_batching.batching": batching,
}
