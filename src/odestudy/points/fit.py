"""Fit a continuous flow to points by maximum likelihood, kept where held-out points like it best."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from odestudy.densities.fields import Field
from odestudy.densities.models.flow import at_certified_step
from odestudy.densities.training import Course, maximise
from odestudy.densities.transport import Grid, log_density
from odestudy.points.scaled import Scaled

EXACT_TO = 8  # dimensions to which the trace is exact in training; beyond it is estimated by one probe
CHECKS = 20  # looks at the validation points during a training
TRAIN_GRID, EVAL_STEPS = Grid("rk4", 4), 8


@dataclass(frozen=True)
class FitSettings:
    """How a flow is fitted to points; shares are of the rows, shuffled by the seed."""

    iterations: int = 1500
    batch: int = 128
    learning_rate: float = 0.01
    width: int = 64
    seed: int = 0
    validation_share: float = 0.1
    test_share: float = 0.2


@dataclass(frozen=True)
class FittedPoints:
    """A flow fitted to points.

    Attributes:
        density: in the units of the data.
        train, validation, test: rows of the data, (n, d) float64 each.
        parts: for every row of the data "train", "validation" or "test".
        best_iteration: where the validation points had the smallest NLL.
        train_s: time taken.
    """

    density: Scaled
    train: Tensor
    validation: Tensor
    test: Tensor
    parts: list[str]
    best_iteration: int
    train_s: float
    settings: FitSettings


def fit_points(values: np.ndarray, settings: FitSettings | None = None) -> FittedPoints:
    """Fit a flow to points (n, d).

    Raises:
        NumericalFailure: the loss is not finite.
    """
    settings = settings or FitSettings()
    parts = _split(len(values), settings)
    x = torch.tensor(values, dtype=torch.float64)
    train, validation, test = (x[torch.from_numpy(parts == name)] for name in ("train", "validation", "test"))
    centre, scale = train.mean(0), train.std(0)
    torch.manual_seed(settings.seed)
    net = Field(x.shape[1], settings.width)
    best, seconds = _train(net, (train - centre) / scale, (validation - centre) / scale, settings)
    net = net.double().requires_grad_(False)
    flow = at_certified_step(net, ((test - centre) / scale)[:256], EVAL_STEPS)
    density = Scaled(flow, centre, scale)
    return FittedPoints(density, train, validation, test, parts.tolist(), best, seconds, settings)


def _split(n: int, settings: FitSettings) -> np.ndarray:
    """For each row the part it belongs to."""
    order = np.random.default_rng([settings.seed, 7]).permutation(n)
    test, validation = (round(share * n) for share in (settings.test_share, settings.validation_share))
    parts = np.full(n, "train", dtype=object)
    parts[order[:test]] = "test"
    parts[order[test : test + validation]] = "validation"
    return parts


def _train(net: Field, train: Tensor, validation: Tensor, settings: FitSettings) -> tuple[int, float]:
    """Train `net` in place; where the validation points had the smallest NLL, and the time taken in s."""
    formula = "trace" if train.shape[1] <= EXACT_TO else "rademacher1"
    rng = np.random.default_rng([settings.seed, 1])
    train, validation = train.float(), validation.float()
    kept: dict[str, Any] = {"nll": np.inf, "state": deepcopy(net.state_dict()), "iteration": 0}

    def look(iteration: int) -> None:
        if iteration % max(1, settings.iterations // CHECKS) == 0 or iteration == settings.iterations:
            nll = -float(log_density(net, validation, TRAIN_GRID, formula).mean().detach())
            if nll < kept["nll"]:
                kept.update(nll=nll, state=deepcopy(net.state_dict()), iteration=iteration)

    fitted = maximise(
        net,
        lambda x: log_density(net, x, TRAIN_GRID, formula),
        lambda: train[torch.from_numpy(rng.integers(len(train), size=settings.batch))],
        Course(settings.iterations, settings.learning_rate),
        "fit",
        look,
    )
    net.load_state_dict(kept["state"])
    return kept["iteration"], fitted.train_s
