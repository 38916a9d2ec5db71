"""Initial value problems as modules with parameters; their gradients are known in closed form or to an oracle."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from odestudy.nets.dynamics import LinearDynamics
from odestudy.questions.gradients.fields import (
    ConvNet,
    Exponential,
    Lorenz,
    LotkaVolterra,
    Pendulum,
    Prothero,
    TanhNet,
    VanDerPol,
)
from odestudy.questions.gradients.params import Entry

SLOW = -0.1  # eigenvalue of the mode that carries the answer, beside the one under study
ANGLE = math.pi / 6  # of the eigenvectors to the axes, so that rounding mixes the modes
WEIGHTS = (0.8, 0.6)  # of the fast and the slow mode in the initial state


@dataclass(frozen=True)
class Problem:
    """y' = f(t, y) from y0 at t = 0 to t1.

    Attributes:
        y0: shape (batch, d) or (batch, channels, height, width).
        exact: the state at t1 as a function of y0 that autograd can differentiate, where it is known.
    """

    f: nn.Module
    y0: Tensor
    t1: float
    exact: Callable[[Tensor], Tensor] | None = None

    def times(self) -> Tensor:
        return torch.tensor([0.0, self.t1], dtype=self.y0.dtype, device=self.y0.device)

    def parameters(self) -> list[nn.Parameter]:
        return list(self.f.parameters())

    def cotangent(self) -> Tensor:
        """dL/dy(t1) of the loss L = <c, y(t1)>: fixed, of norm one, along no axis."""
        c = torch.randn(self.y0.shape, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
        return (c / c.norm()).to(self.y0)


def rotation() -> Tensor:
    """The orthogonal eigenvectors of the linear problem, fast mode first, as columns, float64."""
    c, s = math.cos(ANGLE), math.sin(ANGLE)
    return torch.tensor([[c, -s], [s, c]], dtype=torch.float64)


def linear(eigenvalue: float, horizon: float) -> Problem:
    """y' = A y, A symmetric with the eigenvalue under study and a slow one; a normal matrix, so nothing else mixes."""
    q = rotation()
    f = LinearDynamics(2).double()
    with torch.no_grad():
        f.a.copy_(q @ torch.diag(torch.tensor([eigenvalue, SLOW], dtype=torch.float64)) @ q.T)
    y0 = (q @ torch.tensor(WEIGHTS, dtype=torch.float64))[None]
    return Problem(f, y0, horizon, lambda y: y @ torch.linalg.matrix_exp(horizon * f.a).T)


def mlp(width: int, horizon: float, d: int = 2, batch: int = 4, seed: int = 0, depth: int = 1) -> Problem:
    """A random net that turns and contracts its states a little."""
    torch.manual_seed(seed)
    f = TanhNet(d, width, depth).double()
    y0 = torch.randn(batch, d, dtype=torch.float64)
    return Problem(f, y0, horizon)


def vanderpol(mu: float, horizon: float) -> Problem:
    return Problem(VanDerPol(mu), torch.tensor([[2.0, 0.0]], dtype=torch.float64), horizon)


def conv(channels: int, size: int, horizon: float, gain: float = 2.0, seed: int = 0) -> Problem:
    torch.manual_seed(seed)
    f = ConvNet(channels, gain).double()
    return Problem(f, torch.randn(2, channels, size, size, dtype=torch.float64), horizon)


def lorenz(horizon: float) -> Problem:
    """From a point on the attractor."""
    return Problem(Lorenz(), torch.tensor([[-8.0, 7.0, 27.0]], dtype=torch.float64), horizon)


def lotka(horizon: float) -> Problem:
    return Problem(LotkaVolterra(), torch.ones(1, 2, dtype=torch.float64), horizon)


def pendulum(horizon: float) -> Problem:
    return Problem(Pendulum(), torch.tensor([[1.5, 0.0]], dtype=torch.float64), horizon)


def prothero(rate: float, horizon: float) -> Problem:
    y0 = torch.ones(1, 1, dtype=torch.float64)
    return Problem(Prothero(rate), y0, horizon, lambda y: torch.full_like(y, math.cos(horizon)))


def exponential(horizon: float, start: float = 2.0) -> Problem:
    y0 = torch.full((1, 1), start, dtype=torch.float64)
    return Problem(Exponential(), y0, horizon, lambda y: y * math.exp(horizon))


KINDS: dict[str, Callable[..., Problem]] = {
    "linear": linear, "mlp": mlp, "vanderpol": vanderpol, "conv": conv, "lorenz": lorenz,
    "lotka": lotka, "pendulum": pendulum, "prothero": prothero, "exponential": exponential,
}  # fmt: skip


def problem_of(entry: Entry) -> Problem:
    """The problem of an entry, in float64."""
    return KINDS[entry.kind](**entry.parameters.model_dump())


def moved(problem: Problem, device: str, dtype: str) -> Problem:
    """The problem on a device and in an arithmetic; its parameters are changed in place."""
    to = {"device": device, "dtype": getattr(torch, dtype)}
    return Problem(problem.f.to(**to), problem.y0.to(**to), problem.t1)
