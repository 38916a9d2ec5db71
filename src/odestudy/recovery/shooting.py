"""From a stack of models and their data to a loss for each: single shooting on windows, or multiple shooting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from odestudy.integrate import (
    Counted,
    Solver,
    integrate,
    integrate_samples,
    named_failure,
    steps_samples,
)
from odestudy.recovery.draws import WINDOWS, draws
from odestudy.recovery.windows import Batch, pieces, random_windows
from odestudy.runtime.outcome import NumericalFailure
from odestudy.systems.trajectories import Observed

if TYPE_CHECKING:
    from odestudy.ode import BatchedModels


def solver_of(spec: dict[str, Any]) -> Solver:
    """How a specification wants its solves."""
    names = ("library", "method", "rtol", "atol", "gradient", "max_nfe")
    return Solver(**{n: spec[n] for n in names}, step=spec.get("step"))


@dataclass
class Shooting(ABC):
    """How a training step becomes a loss for each of M models.

    Attributes:
        alive: (M,) which models still train; a model whose solve fails is no longer among them.
        failures: model -> why it ended; failed_in: model -> in which pass, that is `passing` at the time; cost: evaluations forward and backward, steps accepted and rejected.
    """

    models: BatchedModels
    data: list[Observed]
    spec: dict[str, Any]
    failures: dict[int, NumericalFailure] = field(default_factory=dict)
    failed_in: dict[int, str] = field(default_factory=dict)
    passing: str = "forward"

    def __post_init__(self) -> None:
        self.solver = solver_of(self.spec)
        self.one = _OneModel(self.models)
        self.counted = Counted(self.one, self.spec["max_nfe"])
        self.alive = torch.ones(len(self.data), dtype=torch.bool)
        self.cost = np.zeros(4)
        # The loss is a plain mean square, or one in units of the data's spread, component by component.
        spread = np.stack([one.spread for one in self.data])[:, None, None]
        self.unit = self.to(spread if self.spec.get("loss") == "normalised" else np.ones_like(spread))

    def parameters(self) -> list[nn.Parameter]:
        """What is learnt beside the models."""
        return []

    @abstractmethod
    def losses(self) -> Tensor:
        """The loss of each model that is alive, (M,); zero for the others."""

    def lose(self, m: int, failure: NumericalFailure) -> None:
        """A model takes no further part."""
        self.failures.setdefault(m, failure)
        self.failed_in.setdefault(m, self.passing)
        self.alive = self.alive.clone()  # a graph may hold the old one, to be differentiated after this
        self.alive[m] = False

    def to(self, values: np.ndarray) -> Tensor:
        return torch.as_tensor(values).to(next(self.models.parameters()))

    def misfit(self, predicted: Tensor, t: np.ndarray, z: Tensor) -> Tensor:
        """Mean square difference over each model's points, (M,)."""
        there = torch.as_tensor(np.isfinite(t), device=z.device)[..., None]
        square = torch.where(there, (predicted - z) / self.unit, 0).square()
        return square.sum(dim=(1, 2, 3)) / (there.sum(dim=(1, 2, 3)) * z.shape[-1])

    def states(self, z0: Tensor, t: np.ndarray) -> Tensor:
        """From z0 (M, B, d) along times (M, B, w) to (M, B, w, d); a model that fails is lost, its states zero."""
        if not steps_samples(self.solver):
            return self._one_by_one(z0, t)
        alive = self.alive.nonzero()[:, 0]
        b, w = t.shape[1:]
        same = bool(
            (t[:, :1] == t).all()
        )  # pieces of one model share their steps where they share their times
        if same:
            f, start, when = self.models.for_samples(alive.to(z0.device)), z0[alive], t[alive, 0]
        else:
            f = self.models.for_samples(alive.repeat_interleave(b).to(z0.device))
            start, when = z0[alive].reshape(len(alive) * b, -1), t[alive].reshape(len(alive) * b, w)
        solved = integrate_samples(f, start, self.to(when), self.solver)
        self.cost += [solved.nfe, 0, solved.accepted, solved.rejected]
        for i, failure in enumerate(solved.failures):
            if failure:
                self.lose(int(alive[i if same else i // b]), failure)
        ys = solved.ys.reshape(w, len(alive), b, -1).permute(1, 2, 0, 3)
        found = z0.new_zeros(*t.shape, z0.shape[-1])
        fine = [i for i, m in enumerate(alive.tolist()) if self.alive[m]]
        found[alive[fine]] = ys[fine]
        return found

    def _one_by_one(self, z0: Tensor, t: np.ndarray) -> Tensor:
        """Where samples cannot have steps of their own: one model, all pieces with shared steps.

        Pieces whose times are proportional are solved as one, each at its own rate.
        """
        rates = t[0, :, -1:] / t[0, :1, -1:]
        if len(z0) != 1 or not np.allclose(t[0], rates * t[0, :1]):
            raise ValueError(
                f"{self.solver} trains one model at a time, on pieces whose times are proportional: take one seed, and "
                "one window, regular times, or pieces of two points"
            )
        self.cost[:2] += self.counted.take()  # the limit of evaluations is that of one solve
        self.one.rates = None if np.allclose(rates, 1) else self.to(rates)
        before = np.array([self.counted.accepted, self.counted.rejected])
        try:
            ys = integrate(self.counted, z0[0], self.to(t[0, 0]), replace(self.solver, separate=True))
        except Exception as error:
            failure = named_failure(error)
            if failure is None:
                raise
            self.lose(0, failure)
            ys = z0.new_zeros(t.shape[2], *z0.shape[1:])
        self.cost[2:] += np.array([self.counted.accepted, self.counted.rejected]) - before
        return ys.transpose(0, 1)[None]


class _OneModel(nn.Module):
    """The only model of a stack, on pieces (B, d); where `rates` (B, 1) are given, each piece at its own."""

    rates: Tensor | None = None

    def __init__(self, models: nn.Module) -> None:
        super().__init__()
        self.models = models

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        slopes = self.models(t, z.unsqueeze(0)).squeeze(0)
        return slopes if self.rates is None else self.rates * slopes


class Windows(Shooting):
    """Single shooting: random windows, from the first noisy observation of each (poster)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rngs = [draws(self.spec, seed, WINDOWS) for seed in self.spec["seeds"]]

    def losses(self) -> Tensor:
        batch: Batch = random_windows(self.data, self.spec, self.rngs)
        z = self.to(batch.z)
        return self.misfit(self.states(z[:, :, 0], batch.t), batch.t, z)


class Multiple(Shooting):
    """Multiple shooting: all pieces at once, their initial states learnt, gaps between them penalised.

    They start at the observations; the penalty is a soft constraint (Turan, Jaeschke 2021; Iakovlev et al. 2022).
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.batch, follows = pieces(self.data, self.spec["piece_points"])
        self.z = self.to(self.batch.z)
        self.follows = torch.as_tensor(follows[:-1], device=self.z.device)
        self.starts = nn.Parameter(self.z[:, :, 0].clone())

    def parameters(self) -> list[nn.Parameter]:
        return [self.starts]

    def losses(self) -> Tensor:
        predicted = self.states(self.starts, self.batch.t)
        gap = (predicted[:, :-1, -1] - self.starts[:, 1:]) / self.unit[:, 0]
        gap = gap[:, self.follows] * self.alive.to(gap.device)[:, None, None]
        penalty = gap.square().sum(dim=(1, 2)) / max(gap[0].numel(), 1)
        return self.misfit(predicted, self.batch.t, self.z) + self.spec["gap_weight"] * penalty


SHOOTING: dict[str, type[Shooting]] = {"windows": Windows, "multiple": Multiple}
