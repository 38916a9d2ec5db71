"""Learning the vector field behind a user's observations: an ensemble of models by multiple shooting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from odestudy.errors import DataError
from odestudy.fit.model import Ensemble
from odestudy.fit.observations import Table
from odestudy.ode import BatchedModels
from odestudy.recovery.learning import make_model
from odestudy.recovery.training import train
from odestudy.recovery.units import Units

TICK = 2.0**-30  # of the unit of time


@dataclass(frozen=True)
class Settings:
    """How to fit: the kind of model, its width, training steps, the number of models in the ensemble, seed and device."""

    model: str = "mlp"
    width: int = 32
    iterations: int = 1000
    models: int = 5
    learning_rate: float = 0.03
    seed: int = 0
    device: str = "cpu"

    def spec(self) -> dict[str, Any]:
        """The specification that training takes."""
        seeds = [self.models * self.seed + k for k in range(self.models)]
        return {
            "model": self.model, "width": self.width, "iterations": self.iterations, "seeds": seeds,
            "learning_rate": self.learning_rate, "schedule": "cosine", "library": "odestudy", "method": "dopri5",
            "rtol": 1e-4, "atol": 1e-5, "gradient": "backprop", "max_nfe": 20_000, "shooting": "multiple",
            "piece_points": 8, "gap_weight": 1.0, "dtype": "float64",
        }  # fmt: skip


def learn(table: Table, settings: Settings, reach: Callable[[int], bool] = lambda done: False) -> Ensemble:
    """Train the ensemble on all of the table, until `reach(steps done)` returns True.

    The unit of time is the median gap between observations times the points of one piece. Times are rounded to 2^-30 of
    it, so that regular ones are the same in any unit that the file may have.

    Raises:
        DataError: no model could be trained.
    """
    data, spec = table.observed(), settings.spec()
    centre = np.zeros(table.d) if settings.model == "linear" else data.states.mean(axis=0)
    gap = float(np.median(np.concatenate([np.diff(t) for t in table.t])))
    units = Units(centre, data.spread, gap * spec["piece_points"])
    data = units.scaled(replace(data, t=data.t - data.t[:, :1]))
    data = replace(data, t=np.round(data.t / TICK) * TICK)
    singles = [make_model(spec, table.d, seed, settings.device) for seed in spec["seeds"]]
    models = BatchedModels(singles)
    rows = train(models, [data] * len(singles), spec, reach, bar=False)
    models.write_to(singles)
    fine = [model.cpu() for model, row in zip(singles, rows, strict=True) if row["status"] == "ok"]
    if not fine:
        raise DataError(f"no model could be trained: {rows[0]['message']}")
    losses = [row["train_loss"] for row in rows if row["status"] == "ok"]
    steps = max(row["iterations_done"] for row in rows)
    return Ensemble(fine, units, settings.model, settings.width, len(singles), steps, losses)
