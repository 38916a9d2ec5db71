"""Fit a continuous flow to points by maximum likelihood or flow matching, kept where held-out points like it best."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from odestudy.densities.fields import Field
from odestudy.densities.matching import velocity_error
from odestudy.densities.models.flow import at_certified_step
from odestudy.densities.training import Course, maximise
from odestudy.densities.transport import Grid, log_density
from odestudy.points.scaled import Scaled

EXACT_TO = 8  # dimensions to which the trace is exact in training; beyond it is estimated by one probe
CHECKS = 20  # looks at the validation points during a training
TRAIN_GRID, EVAL_STEPS = Grid("rk4", 4), 8
TRAIN = ("likelihood", "matching")


@dataclass(frozen=True)
class FitSettings:
    """How a flow is fitted to points, `train` one of TRAIN; shares are of the distinct rows, shuffled by the seed."""

    iterations: int = 1500
    batch: int = 128
    learning_rate: float = 0.01
    width: int = 64
    seed: int = 0
    device: str = "cpu"
    validation_share: float = 0.1
    test_share: float = 0.2
    train: str = "likelihood"

    def __post_init__(self) -> None:
        if self.train not in TRAIN:
            raise ValueError(f"train {self.train!r}; allowed: {', '.join(TRAIN)}")


@dataclass(frozen=True)
class FittedPoints:
    """A flow fitted to points.

    Attributes:
        density: in the units of the data.
        train, validation, test: rows of the data, (n, d) float64 each, shuffled.
        parts: for every row of the data "train", "validation" or "test".
        iterations: training steps done; best_iteration: where the validation points had the smallest NLL.
    """

    density: Scaled
    train: Tensor
    validation: Tensor
    test: Tensor
    parts: list[str]
    iterations: int
    best_iteration: int
    settings: FitSettings


def fit_points(
    values: np.ndarray, settings: FitSettings | None = None, reach: Callable[[int], bool] = lambda done: False
) -> FittedPoints:
    """Fit a flow to points (n, d), until `reach(steps done)` returns True; the order of the rows does not matter.

    Raises:
        NumericalFailure: the loss is not finite.
    """
    settings = settings or FitSettings()
    order, parts = _split(values, settings)
    x, of_x = torch.tensor(values[order], dtype=torch.float64), parts[order]
    train, validation, test = (x[torch.from_numpy(of_x == name)] for name in ("train", "validation", "test"))
    centre, scale = train.mean(0), train.std(0)
    torch.manual_seed(settings.seed)
    net = Field(x.shape[1], settings.width).to(settings.device)
    done, best = _train(net, (train - centre) / scale, (validation - centre) / scale, settings, reach)
    net = net.cpu().double().requires_grad_(False)
    flow = at_certified_step(net, ((test - centre) / scale)[:256], EVAL_STEPS)
    density = Scaled(flow, centre, scale)
    return FittedPoints(density, train, validation, test, parts.tolist(), done, best, settings)


def _split(values: np.ndarray, settings: FitSettings) -> tuple[np.ndarray, np.ndarray]:
    """A random order of the rows, equal ones side by side, and for each row the part it belongs to.

    Both depend on the seed and on the set of rows, not on their order in the file; equal rows are in one part, so that
    no test point has been seen.
    """
    unique, which = np.unique(values, axis=0, return_inverse=True)
    which, n = which.reshape(-1), len(unique)
    shuffled = np.random.default_rng([settings.seed, 7]).permutation(n)
    test, validation = (round(share * n) for share in (settings.test_share, settings.validation_share))
    parts = np.full(n, "train", dtype=object)
    parts[shuffled[:test]] = "test"
    parts[shuffled[test : test + validation]] = "validation"
    return np.argsort(np.argsort(shuffled)[which], kind="stable"), parts[which]


def _train(
    net: Field, train: Tensor, validation: Tensor, settings: FitSettings, reach: Callable[[int], bool]
) -> tuple[int, int]:
    """Train `net` in place; steps done, and the step after which the validation points had the smallest NLL.

    Flow matching needs no likelihood to train, only for these looks.
    """
    formula = "trace" if train.shape[1] <= EXACT_TO else "rademacher1"
    rng = np.random.default_rng([settings.seed, 1])
    train, validation = (part.float().to(settings.device) for part in (train, validation))
    kept: dict[str, Any] = {"nll": np.inf, "state": deepcopy(net.state_dict()), "iteration": 0}

    def look(iteration: int) -> bool:
        stop = reach(iteration)
        if stop or iteration % max(1, settings.iterations // CHECKS) == 0 or iteration == settings.iterations:
            nll = -float(log_density(net, validation, TRAIN_GRID, formula).mean().detach())
            if nll < kept["nll"]:
                kept.update(nll=nll, state=deepcopy(net.state_dict()), iteration=iteration)
        return stop

    worth: dict[str, Callable[[Tensor], Tensor]] = {
        "likelihood": lambda x: log_density(net, x, TRAIN_GRID, formula),
        "matching": lambda x: -velocity_error(net, x, "independent"),
    }
    fitted = maximise(
        net,
        worth[settings.train],
        lambda: train[torch.from_numpy(rng.integers(len(train), size=settings.batch)).to(train.device)],
        Course(settings.iterations, settings.learning_rate),
        None,
        look,
    )
    net.load_state_dict(kept["state"])
    return fitted.iterations, kept["iteration"]
