"""Families of problems in which one quantity grows until a gradient is lost; a seed draws everything else."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from odestudy.integrate import Solver, integrate
from odestudy.nets.dynamics import LinearDynamics
from odestudy.questions.gradients.fields import VanDerPol
from odestudy.questions.gradients.problems import SLOW, Problem

MU = 2.0  # of Van der Pol's equation
WIDTH = 8  # of the net's hidden layer
FINE = Solver(method="dopri8", rtol=1e-7, atol=1e-9)
POINTS = 65  # along a trajectory, of which the largest norm of the Jacobian is taken


@dataclass(frozen=True)
class Stiffness:
    """What theory says decides whether a state comes back.

    Attributes:
        contraction: ln(1 / s), s the smallest singular value of dy(t1)/dy(t0): the logarithm of what an error at the end
            grows by on the way back. Of a decaying linear problem the eigenvalue times the horizon.
        lipschitz: the largest norm of df/dy along the solution, times the horizon: a bound of it.
    """

    contraction: float
    lipschitz: float


class SlowAndFast(nn.Module):
    """y' = Q diag(-rate, slow) Q^T y + net(y) in the plane: a perceptron beside a linear map; states (batch, 2)."""

    def __init__(self, rate: float, turn: Tensor, generator: torch.Generator) -> None:
        super().__init__()
        eigenvalues = torch.tensor([-rate, SLOW], dtype=torch.float64)
        self.a = nn.Parameter(turn @ torch.diag(eigenvalues) @ turn.T)
        draw: Callable[..., Tensor] = lambda *shape: torch.randn(
            *shape, generator=generator, dtype=torch.float64
        )
        self.inner = nn.Parameter(draw(WIDTH, 2) / math.sqrt(2))
        self.shift = nn.Parameter(draw(WIDTH))
        self.outer = nn.Parameter(draw(2, WIDTH) / WIDTH)

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return y @ self.a.T + torch.tanh(y @ self.inner.T + self.shift) @ self.outer.T


def linear(eigenvalue: float, generator: torch.Generator) -> Problem:
    """y' = A y to t = 1, A symmetric with the eigenvalue under study and a slow one, along random axes."""
    turn, f = _turn(generator), LinearDynamics(2).double()
    with torch.no_grad():
        f.a.copy_(turn @ torch.diag(torch.tensor([eigenvalue, SLOW], dtype=torch.float64)) @ turn.T)
    return Problem(f, _start(turn, generator), 1.0, lambda y: y @ torch.linalg.matrix_exp(f.a).T)


def net(rate: float, generator: torch.Generator) -> Problem:
    """A random perceptron beside a linear map whose fast mode decays at `rate`, to t = 1."""
    turn = _turn(generator)
    start = _start(turn, generator)
    return Problem(SlowAndFast(rate, turn, generator), start, 1.0)


def vanderpol(horizon: float, generator: torch.Generator) -> Problem:
    """Van der Pol's equation from a random point near its limit cycle."""
    y0 = torch.tensor([[2.0, 0.0]], dtype=torch.float64)
    y0 = y0 + 0.5 * torch.randn(1, 2, generator=generator, dtype=torch.float64)
    return Problem(VanDerPol(MU), y0, horizon)


FAMILIES: dict[str, Callable[[float, torch.Generator], Problem]] = {
    "decaying": lambda value, generator: linear(-value, generator),
    "growing": linear,
    "net": net,
    "vanderpol": vanderpol,
}


def member(family: str, value: float, seed: int) -> Problem:
    """The problem of a family at a value of what grows: the eigenvalue, the rate or the horizon."""
    return FAMILIES[family](value, torch.Generator().manual_seed(seed))


def stiffness_of(problem: Problem) -> Stiffness:
    """By solving the tangents along the solution, of one sample in the plane: a state of shape (1, 2).

    The smallest singular value is the determinant, whose logarithm is the integral of the trace (Liouville), over the
    largest: so it is not lost in the error of the tangents.
    """
    t = torch.linspace(0, problem.t1, POINTS, dtype=torch.float64)

    def slope(y: Tensor) -> Tensor:
        return problem.f(t[0], y[None])[0]

    jacobian = torch.func.jacrev(slope)

    class Tangents(nn.Module):
        """Rows y, the two tangents, and (the logarithm of the determinant, 0)."""

        def forward(self, time: Tensor, z: Tensor) -> Tensor:
            j = jacobian(z[0])
            volume = torch.stack([j.diagonal().sum(), z.new_zeros(())])
            return torch.cat([slope(z[0])[None], z[1:3] @ j.T, volume[None]])

    with torch.no_grad():
        eye, zero = torch.eye(2, dtype=torch.float64), torch.zeros(1, 2, dtype=torch.float64)
        zs = integrate(Tangents(), torch.cat([problem.y0, eye, zero]), t, FINE)
        largest = float(torch.linalg.matrix_norm(zs[-1, 1:3], 2))
        steepest = max(float(torch.linalg.matrix_norm(jacobian(z[0]), 2)) for z in zs)
    return Stiffness(math.log(largest) - float(zs[-1, 3, 0]), steepest * problem.t1)


def _turn(generator: torch.Generator) -> Tensor:
    """A random rotation of the plane."""
    angle = 2 * math.pi * float(torch.rand((), generator=generator, dtype=torch.float64))
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[c, -s], [s, c]], dtype=torch.float64)


def _start(turn: Tensor, generator: torch.Generator) -> Tensor:
    """A state with a share of both modes, neither of them small; shape (1, 2)."""
    return (turn @ (0.5 + torch.rand(2, generator=generator, dtype=torch.float64)))[None]
