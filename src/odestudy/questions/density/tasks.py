"""The tasks of this question: name -> function from typed parameters and a device to rows and arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.questions.density.coarse import coarse
from odestudy.questions.density.digits import digits
from odestudy.questions.density.fit import in_time, model
from odestudy.questions.density.gap import gap
from odestudy.questions.density.modes import modes
from odestudy.questions.density.reach import reach
from odestudy.questions.density.steep import steep
from odestudy.questions.density.ways import ways
from odestudy.runtime.outcome import Outcome

TASKS: dict[str, Callable[[Any, str], Outcome]] = {
    "density_gap.linear": gap,
    "density_gap.trained": gap,
    "density_ways.ways": ways,
    "density_steep.steep": steep,
    "density_coarse.coarse": coarse,
    "density_fit.model": model,
    "density_fit.in_time": in_time,
    "density_digits.digits": digits,
    "density_modes.modes": modes,
    "density_reach.reach": reach,
}
