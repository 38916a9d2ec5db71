"""A learnt vector field as an ensemble of models: its slopes, its forecasts, and its file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from odestudy.errors import DataError
from odestudy.nets.dynamics import MODELS
from odestudy.recovery.judge import Learnt, Rollout, field_values
from odestudy.recovery.learning import rollout
from odestudy.recovery.units import Units
from odestudy.runtime.files import write_atomically

FORMAT = 2


@dataclass(frozen=True)
class Ensemble:
    """Models of one vector field that differ by their seeds.

    Attributes:
        models: those that trained to the end, out of `tried`.
        units: in which they were learnt.
        kind, width: of the models.
        steps: training steps done.
        losses: the last losses of the models, in units of the data's variance.
    """

    models: list[nn.Module]
    units: Units
    kind: str
    width: int
    tried: int
    steps: int
    losses: list[float | None]

    def fields(self) -> list[Learnt]:
        """The right-hand side of each model, states (n, d) -> slopes (n, d)."""
        return [self.units.meant(partial(field_values, model)) for model in self.models]

    def rolls(self) -> list[Rollout]:
        """Trajectories of each model."""
        return [rollout(model, self.units) for model in self.models]

    def slope(self, states: ArrayLike) -> np.ndarray:
        """The median slope (n, d) of the models at states (n, d), in the units of the data."""
        at = np.asarray(states, dtype=np.float64)
        return np.median([field(at) for field in self.fields()], axis=0)

    def forecast(self, start: ArrayLike, times: ArrayLike) -> np.ndarray:
        """The median trajectory (n, d) of the models from a state (d,) at times[0] along times (n,)."""
        z0, t = np.asarray(start, dtype=np.float64)[None], np.asarray(times, dtype=np.float64)
        return median([roll(z0, t)[0] for roll in self.rolls()])


def median(found: Sequence[np.ndarray]) -> np.ndarray:
    """Of what the models say; nan where more than half of them say nothing."""
    middle = np.median(np.where(np.isnan(found), np.inf, found), axis=0)
    return np.where(np.isinf(middle), np.nan, middle)


def save(ensemble: Ensemble, path: Path) -> None:
    """Weights, units and what kind of models they are, as `load` reads them (torch.load with weights_only)."""
    units = ensemble.units
    buffer = io.BytesIO()
    torch.save(
        {
            "format": FORMAT,
            "kind": ensemble.kind,
            "width": ensemble.width,
            "tried": ensemble.tried,
            "steps": ensemble.steps,
            "losses": ensemble.losses,
            "centre": torch.as_tensor(units.centre),
            "scale": torch.as_tensor(units.scale),
            "duration": units.duration,
            "models": [model.state_dict() for model in ensemble.models],
        },
        buffer,
    )
    write_atomically(path, buffer.getvalue())


def load(path: Path | str) -> Ensemble:
    """An ensemble that `save` wrote.

    Raises:
        DataError: the file was written by another version.
    """
    content = torch.load(path, weights_only=True)
    if content.get("format") != FORMAT:
        raise DataError(f"{path}: format {content.get('format')}; this version reads {FORMAT}: fit again")
    kind, width, centre = content["kind"], content["width"], content["centre"].numpy()
    models = []
    for state in content["models"]:
        model = MODELS[kind](len(centre), width).double()
        model.load_state_dict(state)
        models.append(model)
    units = Units(centre, content["scale"].numpy(), content["duration"])
    return Ensemble(models, units, kind, width, content["tried"], content["steps"], content["losses"])
