"""The result of fitting a density, the same for every model."""

from __future__ import annotations

from dataclasses import dataclass, field

from odestudy.densities.certificate import Density


@dataclass(frozen=True)
class Fit:
    """A fitted density, how many numbers it has, how long it took, and what else is to be told."""

    density: Density
    parameters: int
    train_s: float
    more: dict[str, float] = field(default_factory=dict)
