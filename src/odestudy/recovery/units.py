"""Units in which a system is learnt: scaling of the equations (Kim et al. 2021, arXiv 2103.15341, section II)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from odestudy.recovery.judge import Learnt
from odestudy.systems.trajectories import Observed


@dataclass(frozen=True)
class Units:
    """z = centre + scale x and t = duration s: x' = f(x) is learnt, dz/dt = (scale / duration) f is meant."""

    centre: np.ndarray
    scale: np.ndarray
    duration: float

    def scaled(self, data: Observed) -> Observed:
        """Observations in these units."""
        return Observed(
            data.t / self.duration,
            (data.truth - self.centre) / self.scale,
            (data.noisy - self.centre) / self.scale,
            data.noise / self.scale,
        )

    def meant(self, learnt: Learnt) -> Learnt:
        """From a right-hand side in these units to the one of the system."""
        return lambda z: self.scale / self.duration * learnt((z - self.centre) / self.scale)


def units_of(spec: dict[str, Any], data: list[Observed]) -> Units:
    """The system's own units, or those of the observations where `scaled` asks for it.

    A linear model has no offset, so its centre stays where it is.
    """
    d = data[0].noisy.shape[-1]
    if not spec.get("scaled", spec["system"].get("scaled", False)):
        return Units(np.zeros(d), np.ones(d), 1.0)
    states = np.concatenate([one.noisy[np.isfinite(one.t)] for one in data])
    spread = np.where(states.std(axis=0) > 0, states.std(axis=0), 1.0)
    centre = np.zeros(d) if spec.get("model") == "linear" else states.mean(axis=0)
    return Units(centre, spread, spec["system"].get("duration", 1.0))
