"""The budget of a model beside the flow: its number of parameters, or the time that its training took."""

from __future__ import annotations

from odestudy.densities.fields import Field

MISSED = 0.1  # of the time allowed, by which the time spent may be off to count as equal


def flow_parameters(d: int, width: int) -> int:
    """The number of parameters of the flow's net."""
    return sum(p.numel() for p in Field(d, width).parameters())


def equal_time(spent_s: float, allowed_s: float) -> bool:
    """Whether a training took the time that it was allowed."""
    return abs(spent_s / allowed_s - 1) <= MISSED
