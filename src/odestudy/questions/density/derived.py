"""Tables on densities that are made of several runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.questions.density.at_cost import Rows, error_at_time, time_to_error
from odestudy.questions.density.nearest import nearest
from odestudy.study.load import Study

DERIVED: dict[str, Callable[[Study, str, dict[str, Any]], Rows]] = {
    "time_to_error": time_to_error,
    "error_at_time": error_at_time,
    "nearest": nearest,
}
