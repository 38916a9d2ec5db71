"""Many models trained as one batch: the numbers of each alone, and no model disturbed by another."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from helpers import F64, Mlp
from torch import Tensor, nn

from odestudy.nets.dynamics import LinearDynamics, MLPDynamics
from odestudy.ode import BatchedModels, solve, solve_batch

TIMES = torch.tensor([[0.0, 0.5, 1.0], [0.3, 0.9, torch.nan], [0.0, 2.0, torch.nan]], dtype=F64)


class Oscillator(nn.Module):
    """Neither a chain of layers nor without a buffer: evaluated by vmap."""

    def __init__(self, stiffness: float = 1.0) -> None:
        super().__init__()
        self.stiffness = nn.Parameter(torch.tensor(stiffness, dtype=F64))
        self.register_buffer("damping", torch.tensor(0.1 * stiffness, dtype=F64))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return torch.stack(
            [y[..., 1], -self.stiffness * y[..., 0] - self.damping * y[..., 1] * torch.cos(t)], -1
        )


def make_layers(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return MLPDynamics(2, width=5).double()


def make_linear(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return LinearDynamics(2).double()


MAKERS: dict[str, Callable[[int], nn.Module]] = {
    "layers": make_layers,
    "linear": make_linear,
    "time_dependent": lambda seed: Mlp(hidden=4, seed=seed),
    "oscillator": lambda seed: Oscillator(1.0 + seed),
}


def starts() -> Tensor:
    return torch.tensor([[1.0, 0.0], [0.5, -0.5], [-1.0, 0.3]], dtype=F64)


@pytest.mark.parametrize("kind", MAKERS)
def test_the_batch_gives_the_slopes_of_each_model(kind: str) -> None:
    models = [MAKERS[kind](seed) for seed in range(3)]
    t, y = torch.linspace(0, 1, 3, dtype=F64), starts()
    slopes = BatchedModels(models)(t, y)
    for m, model in enumerate(models):
        torch.testing.assert_close(slopes[m], model(t[m], y[m]))


@pytest.mark.parametrize("kind", ["layers", "linear"])
def test_chains_of_layers_are_recognised_and_others_are_not(kind: str) -> None:
    assert BatchedModels([MAKERS[kind](0)])._fast is not None
    assert BatchedModels([Oscillator()])._fast is None


class Residual(nn.Module):
    """Reads its input twice: no chain."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2).double()

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return y + torch.tanh(self.layer(y))


class Timed(Residual):
    """Reads the time in place of the state."""

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.layer(t.expand(2))


@pytest.mark.parametrize("cls", [Residual, Timed])
def test_what_only_looks_like_a_chain_is_evaluated_as_written(cls: type[nn.Module]) -> None:
    models = [cls() for _ in range(3)]
    batch, t, y = BatchedModels(models), torch.linspace(0, 1, 3, dtype=F64), starts()
    for m, model in enumerate(models):
        torch.testing.assert_close(batch(t, y)[m], model(t[m], y[m]))


def loss_of(ys: Tensor, there: Tensor) -> Tensor:
    """One loss a model: the mean of squares over the observations that it has."""
    squares = ys.square().sum(-1).where(there, 0.0)
    return squares.sum(0) / there.sum(0)


def trained_alone(model: nn.Module, m: int, iterations: int) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    t = TIMES[m][~TIMES[m].isnan()]
    for _ in range(iterations):
        optimizer.zero_grad()
        ys = solve(model, starts()[m], t, rtol=1e-4, atol=1e-5).ys
        ys.square().sum(-1).mean().backward()
        optimizer.step()


@pytest.mark.parametrize("gradient", ["backprop", "checkpointed"])
@pytest.mark.parametrize("kind", MAKERS)
def test_training_as_a_batch_gives_the_parameters_of_training_one_by_one(kind: str, gradient: str) -> None:
    models = [MAKERS[kind](seed) for seed in range(3)]
    batch = BatchedModels(models)
    optimizer = torch.optim.Adam(batch.parameters(), lr=0.05)
    there = ~TIMES.T.isnan()
    for _ in range(10):
        optimizer.zero_grad()
        solution = solve_batch(batch, starts(), TIMES, gradient=gradient, rtol=1e-4, atol=1e-5)
        loss_of(solution.ys, there).sum().backward()
        optimizer.step()
    for m, model in enumerate(models):
        trained_alone(model, m, 10)
    for name, value in models[1].named_parameters():
        torch.testing.assert_close(batch.values()[name][1], value, rtol=1e-9, atol=1e-11)
    written = [MAKERS[kind](7) for _ in range(3)]
    batch.write_to(written)
    for ours, single in zip(written, models, strict=True):
        for a, b in zip(ours.parameters(), single.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-11)


class Growth(nn.Module):
    """y' = p y^2: for p large it ends in a blow-up."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(p, dtype=F64))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.p * y * y


def train(rates: list[float]) -> tuple[list[float], Any]:
    batch = BatchedModels([Growth(p) for p in rates])
    optimizer = torch.optim.Adam(batch.parameters(), lr=0.01)
    alive = torch.ones(len(rates), dtype=torch.bool)
    for _ in range(5):
        optimizer.zero_grad()
        index = alive.nonzero()[:, 0]
        y0 = torch.ones(len(index), 1, dtype=F64)
        solution = solve_batch(batch.for_samples(index), y0, [0.0, 0.8], throw=False)
        good = torch.tensor([status == "ok" for status in solution.samples.statuses])
        alive[index[~good]] = False
        solution.ys[-1].square().sum().backward()  # the failed one's nan included
        batch.step(optimizer, alive)
    return batch.values()["p"].tolist(), alive.tolist()


def test_a_model_that_fails_stays_as_it_was_and_disturbs_no_other() -> None:
    with_failure, alive = train([0.5, 3.0, -1.0])
    without, _ = train([0.5, -1.0])
    assert alive == [True, False, True]
    assert with_failure[1] == 3.0
    assert [with_failure[0], with_failure[2]] == pytest.approx(without, rel=1e-12)


def test_models_of_different_kinds_are_refused() -> None:
    for models in ([], [make_layers(0), make_linear(0)], [Mlp(hidden=4), Mlp(hidden=5)]):
        with pytest.raises(ValueError, match="one class"):
            BatchedModels(models)
