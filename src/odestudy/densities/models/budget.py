"""What a baseline may spend: the flow's number of parameters, or the time that the flow's training takes here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from odestudy.densities.fields import Field
from odestudy.densities.laws import Target
from odestudy.densities.training import Recipe, fit
from odestudy.densities.transport import Grid

WARM, TIMED = 2, 6
BUDGETS = ("parameters", "time")


def flow_parameters(d: int, width: int) -> int:
    """The number of parameters of the flow's net."""
    return sum(p.numel() for p in Field(d, width).parameters())


def flow_seconds(target: Target, spec: dict[str, Any]) -> float:
    """The time that the flow's training takes, from a few of its iterations on this machine."""
    grid = Grid(spec["train_method"], spec["train_steps"])
    net = Field(target.d, spec["width"])

    def iterate(count: int) -> None:
        recipe = Recipe(spec["train_formula"], grid, count, spec["batch"], spec["learning_rate"])
        fit(net, target, recipe, 0)

    return spec["iterations"] * seconds_each(iterate)


def seconds_each(iterate: Callable[[int], object]) -> float:
    """Median time of a training iteration; `iterate(n)` runs n of them."""
    iterate(WARM)
    times = []
    for _ in range(TIMED):
        clock = time.perf_counter()
        iterate(1)
        times.append(time.perf_counter() - clock)
    return float(np.median(times))


def check_budget(budget: str) -> None:
    """Refuse a name that is no budget."""
    if budget not in BUDGETS:
        raise ValueError(f"budget {budget!r}; allowed: {', '.join(BUDGETS)}")
