"""Checks of single arguments: what came, and what is allowed."""

import math
import operator
from typing import Any

from torch import Tensor


def number(name: str, value: Any) -> float:
    """The value as a float; ValueError where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} must be a number, got {value!r}") from error


def whole(name: str, value: Any, low: int, high: int | None = None) -> int:
    """The value as an int from low to high; ValueError where it is none."""
    allowed = f"at least {low}" if high is None else f"{low} to {high}"
    try:
        result = operator.index(value)
    except TypeError as error:
        raise ValueError(f"{name} {value!r}: need a whole number, {allowed}") from error
    if result < low or (high is not None and result > high):
        raise ValueError(f"{name} {value}: need {allowed}")
    return result


def finite_times(name: str, value: Any) -> tuple[float, ...]:
    """The times as floats; ValueError where they are no numbers, or not finite."""
    try:
        times = tuple(map(float, value.detach().reshape(-1).tolist() if isinstance(value, Tensor) else value))
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} must be a tensor or list of times, got {value!r}") from error
    if not all(map(math.isfinite, times)):
        raise ValueError(f"{name} must hold finite times, got {times}")
    return times
