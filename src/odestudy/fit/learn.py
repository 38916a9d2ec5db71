"""Learning the vector field behind a user's observations: an ensemble by multiple shooting, judged on what it did not see."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from odestudy.errors import DataError
from odestudy.fit.observations import Table
from odestudy.nets.dynamics import MODELS
from odestudy.ode import BatchedModels
from odestudy.recovery.judge import Learnt, Rollout, field_values
from odestudy.recovery.learning import make_model, rollout
from odestudy.recovery.training import train
from odestudy.recovery.units import Units
from odestudy.runtime.outcome import Row

SHARE = 0.8  # of each trajectory, for the fit that is judged on the rest
FORMAT = 1


@dataclass(frozen=True)
class Settings:
    """How to fit: the kind of model, its width, training steps, and the number of models in the ensemble."""

    model: str = "mlp"
    width: int = 32
    iterations: int = 1000
    models: int = 5
    learning_rate: float = 0.03

    def spec(self) -> dict[str, Any]:
        """The specification that training takes."""
        return {
            "model": self.model, "width": self.width, "iterations": self.iterations, "seeds": list(range(self.models)),
            "learning_rate": self.learning_rate, "schedule": "cosine", "library": "odestudy", "method": "dopri5",
            "rtol": 1e-4, "atol": 1e-5, "gradient": "backprop", "max_nfe": 20_000, "shooting": "multiple",
            "piece_points": 8, "gap_weight": 1.0, "dtype": "float64",
        }  # fmt: skip


@dataclass(frozen=True)
class Ensemble:
    """Models of one vector field that differ by their seeds, and the units in which they were learnt."""

    models: list[nn.Module]
    units: Units
    settings: Settings
    rows: list[Row]

    def fields(self) -> list[Learnt]:
        """The right-hand side of each model, states (n, d) -> slopes (n, d)."""
        return [self.units.meant(partial(field_values, model)) for model in self.models]

    def rolls(self) -> list[Rollout]:
        """Trajectories of each model."""
        return [rollout(model, self.units) for model in self.models]


def learn(table: Table, settings: Settings) -> Ensemble:
    """Train the ensemble on all of the table.

    The unit of time is the median gap between observations times the points of one piece.

    Raises:
        DataError: no model could be trained.
    """
    data, spec = table.observed(), settings.spec()
    spread = np.where(data.spread > 0, data.spread, 1.0)
    centre = np.zeros(table.d) if settings.model == "linear" else data.states.mean(axis=0)
    gaps = np.concatenate([np.diff(t) for t in table.t])
    units = Units(centre, spread, float(np.median(gaps) * (spec["piece_points"] - 1)))
    singles = [make_model(spec, table.d, seed, "cpu") for seed in spec["seeds"]]
    models = BatchedModels(singles)
    rows = train(models, [units.scaled(data)] * len(singles), spec)
    models.write_to(singles)
    fine = [model for model, row in zip(singles, rows, strict=True) if row["status"] == "ok"]
    if not fine:
        raise DataError(f"no model could be trained: {rows[0]['message']}")
    return Ensemble(fine, units, settings, rows)


def held_out_error(table: Table, settings: Settings) -> Row:
    """Fit the first part of each trajectory and forecast the rest, beside the forecast that nothing changes.

    Returns:
        nRMSE, in units of the data's standard deviation, of the median forecast and of standing still; None where no
        trajectory is long enough to hold points out.
    """
    seen = table.until(SHARE)
    rest = [(t[len(s) - 1 :], y[len(s) - 1 :]) for t, y, s in zip(table.t, table.y, seen.t, strict=True)]
    if not any(len(t) > 1 for t, _ in rest):
        return {"held_out_points": 0, "held_out_nrmse": None, "standing_still_nrmse": None}
    rolls = learn(seen, settings).rolls()
    spread = table.observed().spread
    wrong, still = [], []
    for t, y in rest:
        if len(t) > 1:
            forecast = median([roll(y[:1], t)[0] for roll in rolls])
            wrong.append((forecast - y)[1:] / spread)
            still.append((y[:1] - y)[1:] / spread)
    points = sum(len(w) for w in wrong)
    errors = (float(np.sqrt(np.mean(np.concatenate(e) ** 2))) for e in (wrong, still))
    return {"held_out_points": points} | dict(
        zip(("held_out_nrmse", "standing_still_nrmse"), errors, strict=True)
    )


def median(found: list[np.ndarray]) -> np.ndarray:
    """Of what the models say; nan where more than half of them say nothing."""
    middle = np.median(np.where(np.isnan(found), np.inf, found), axis=0)
    return np.where(np.isinf(middle), np.nan, middle)


def save(ensemble: Ensemble, path: Path) -> None:
    """Weights, units and settings, as `load` reads them (torch.load with weights_only)."""
    units = ensemble.units
    torch.save(
        {
            "format": FORMAT,
            "settings": vars(ensemble.settings),
            "d": len(units.scale),
            "centre": torch.as_tensor(units.centre),
            "scale": torch.as_tensor(units.scale),
            "duration": units.duration,
            "models": [model.state_dict() for model in ensemble.models],
        },
        path,
    )


def load(path: Path) -> Ensemble:
    """An ensemble that `save` wrote."""
    content = torch.load(path, weights_only=True)
    settings = Settings(**content["settings"])
    models = []
    for state in content["models"]:
        model = MODELS[settings.model](content["d"], settings.width).double()
        model.load_state_dict(state)
        models.append(model)
    units = Units(content["centre"].numpy(), content["scale"].numpy(), content["duration"])
    return Ensemble(models, units, settings, [])
