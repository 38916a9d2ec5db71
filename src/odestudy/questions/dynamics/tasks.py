"""The tasks of this question: name -> function from typed parameters and a device to rows and arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.questions.dynamics.baselines import baselines
from odestudy.questions.dynamics.conditioning import linear
from odestudy.questions.dynamics.cost import steps
from odestudy.questions.dynamics.crash import crash
from odestudy.questions.dynamics.fast_modes import fast_modes
from odestudy.questions.dynamics.recover import recover
from odestudy.questions.dynamics.stiff import stiff
from odestudy.runtime.outcome import Outcome

TASKS: dict[str, Callable[[Any, str], Outcome]] = {
    "dynamics.recover": recover,
    "dynamics.baselines": baselines,
    "dynamics_conditioning.linear": linear,
    "dynamics_conditioning.stiff": stiff,
    "dynamics_conditioning.fast_modes": fast_modes,
    "dynamics_unstable.crash": crash,
    "dynamics_cost.steps": steps,
}
