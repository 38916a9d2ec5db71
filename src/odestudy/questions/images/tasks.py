"""The tasks of this question: name -> function from typed parameters and a device to rows and arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.questions.images.cost import cost
from odestudy.questions.images.sizes import sizes
from odestudy.questions.images.solvers import cross, sweep
from odestudy.questions.images.stages import stages
from odestudy.questions.images.step import step
from odestudy.questions.images.train import train
from odestudy.runtime.outcome import Outcome

TASKS: dict[str, Callable[[Any, str], Outcome]] = {
    "images_sizes.sizes": sizes,
    "images_train.train": train,
    "images_solvers.cross": cross,
    "images_solvers.sweep": sweep,
    "images_cost.cost": cost,
    "images_cost.step": step,
    "images_cost.stages": stages,
}
