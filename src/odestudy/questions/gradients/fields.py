"""Right-hand sides as modules, small and smooth; states (batch, d) unless said otherwise."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TanhNet(nn.Module):
    """One hidden layer of tanh; smooth, so that every order shows. States (batch, d)."""

    def __init__(self, d: int, width: int, depth: int = 1) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Linear(d, width), nn.Tanh()]
        for _ in range(depth - 1):
            layers += [nn.Linear(width, width), nn.Tanh()]
        self.net = nn.Sequential(*layers, nn.Linear(width, d))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.net(y)


class VanDerPol(nn.Module):
    """x'' = mu (1 - x^2) x' - w x; parameters mu and w, states (batch, 2)."""

    def __init__(self, mu: float) -> None:
        super().__init__()
        self.mu = nn.Parameter(torch.tensor(mu, dtype=torch.float64))
        self.w = nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        x, v = y.unbind(-1)
        return torch.stack([v, self.mu * (1 - x * x) * v - self.w * x], -1)


class ConvNet(nn.Module):
    """Two convolutions with tanh between; states (batch, channels, height, width). `gain` scales the weights."""

    def __init__(self, channels: int, gain: float) -> None:
        super().__init__()
        self.first, self.last = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        with torch.no_grad():
            for layer in (self.first, self.last):
                layer.weight.mul_(gain)

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.last(torch.tanh(self.first(y)))


class Lorenz(nn.Module):
    """Lorenz 1963; parameters sigma, rho and beta, states (batch, 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor([10.0, 28.0, 8.0 / 3.0], dtype=torch.float64))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        x, v, z = y.unbind(-1)
        sigma, rho, beta = self.p
        return torch.stack([sigma * (v - x), x * (rho - z) - v, x * v - beta * z], -1)


class LotkaVolterra(nn.Module):
    """Prey and predator with the rates (1.5, 1, 3, 1); states (batch, 2)."""

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        prey, predator = y.unbind(-1)
        return torch.stack([1.5 * prey - prey * predator, prey * predator - 3.0 * predator], -1)


class Pendulum(nn.Module):
    """x'' = -sin x; states (batch, 2)."""

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return torch.stack([y[:, 1], -torch.sin(y[:, 0])], -1)


class Prothero(nn.Module):
    """y' = rate (y - cos t) - sin t, whose solution from y(0) = 1 is cos t (Prothero, Robinson 1974)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.rate * (y - torch.cos(t)) - torch.sin(t)


class Exponential(nn.Module):
    """y' = y."""

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return y
