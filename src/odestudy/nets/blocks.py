"""Blocks between stem and head of an image classifier: residual ones, or an ODE."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from odestudy.integrate import Counted, Solver, integrate


def normalise(channels: int) -> nn.GroupNorm:
    """Groups of two channels: 32 groups at 64 channels as in the MNIST experiment, 8 at 16."""
    return nn.GroupNorm(channels // 2, channels)


def conv3x3(c_in: int, c_out: int, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(c_in, c_out, 3, padding=1, bias=bias)


class ResidualBlock(nn.Module):
    """y + conv(relu(norm(conv(relu(norm(y)))))), pre-activation; (n, c, h, w) to the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = normalise(channels), normalise(channels)
        self.conv1, self.conv2 = conv3x3(channels, channels), conv3x3(channels, channels)

    def forward(self, y: Tensor) -> Tensor:
        inner = self.conv1(torch.relu(self.norm1(y)))
        return y + self.conv2(torch.relu(self.norm2(inner)))


class TiedBlocks(nn.Module):
    """One residual block applied several times: the discrete net whose limit is the ODE (Massaroli et al. 2020)."""

    def __init__(self, channels: int, times: int) -> None:
        super().__init__()
        self.block, self.times = ResidualBlock(channels), times

    def forward(self, y: Tensor) -> Tensor:
        for _ in range(self.times):
            y = self.block(y)
        return y


class TimeConv(nn.Conv2d):
    """A 3x3 convolution that sees t as one more channel, the first; (n, c_in, h, w) to (n, c_out, h, w).

    The channel of time is the same for all images, so its share is computed once for a batch and added: the same
    map as a convolution of the concatenation, without copying the images for every evaluation.
    """

    def __init__(self, c_in: int, c_out: int, bias: bool = True) -> None:
        super().__init__(c_in + 1, c_out, 3, padding=1, bias=bias)

    def forward(self, t: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]  # two inputs where Conv2d has one
        clock = t.to(y.dtype).expand(1, 1, *y.shape[2:])
        of_time = nn.functional.conv2d(clock, self.weight[:, :1], self.bias, padding=1)
        return nn.functional.conv2d(y, self.weight[:, 1:], padding=1) + of_time


class ConvDynamics(nn.Module):
    """f(t, y) of the ODE-Net of torchdiffeq's MNIST example; (n, c, h, w) to the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (normalise(channels) for _ in range(3))
        self.conv1, self.conv2 = (TimeConv(channels, channels) for _ in range(2))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        y = self.conv1(t, torch.relu(self.norm1(y)))
        y = self.conv2(t, torch.relu(self.norm2(y)))
        return self.norm3(y)


class BatchNormDynamics(nn.Module):
    """f(t, y) of the walk-through: convolution, ReLU, batch normalisation, twice; (n, c, h, w) to the same shape.

    In training f depends on the whole batch, and each evaluation, backward ones too, moves the running statistics.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = (TimeConv(channels, channels, bias=False) for _ in range(2))
        self.norm1, self.norm2 = (nn.BatchNorm2d(channels) for _ in range(2))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        y = self.norm1(torch.relu(self.conv1(t, y)))
        return self.norm2(torch.relu(self.conv2(t, y)))


class ODEBlock(nn.Module):
    """The state at t = 1 of dy/dt = f(t, y) from t = 0; (n, c, h, w) to the same shape.

    Under autocast, too, states, f and their gradients have the precision of the weights: an adaptive solver would take
    bfloat16's rounding (0.4 %) for its own error, and an adjoint, which evaluates f in the backward pass, where
    autocast is off, would follow another f than the one that was solved.
    """

    def __init__(self, f: nn.Module, solver: Solver) -> None:
        super().__init__()
        self.f = Counted(f, solver.max_nfe)
        self.solver = solver

    def forward(self, y: Tensor) -> Tensor:
        dtype = next(self.f.parameters()).dtype
        t = torch.tensor([0.0, 1.0], dtype=dtype, device=y.device)
        with torch.autocast(y.device.type, enabled=False):
            return integrate(self.f, y.to(dtype), t, self.solver)[-1]
