"""Image classifiers: stem, feature block, head; only the block differs between the arms.

The layers and their sizes for MNIST follow torchdiffeq's examples/odenet_mnist.py, with group normalisation.
"""

from __future__ import annotations

from typing import Any

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


class ConvDynamics(nn.Module):
    """f(t, y) of the ODE-Net: two convolutions that see t as one more channel; (n, c, h, w) to the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (normalise(channels) for _ in range(3))
        self.conv1, self.conv2 = (conv3x3(channels + 1, channels, bias=True) for _ in range(2))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        time = torch.ones_like(y[:, :1]) * t
        y = self.conv1(torch.cat([time, torch.relu(self.norm1(y))], 1))
        y = self.conv2(torch.cat([time, torch.relu(self.norm2(y))], 1))
        return self.norm3(y)


class ODEBlock(nn.Module):
    """The state at t = 1 of dy/dt = f(t, y) from t = 0; (n, c, h, w) to the same shape."""

    def __init__(self, channels: int, solver: Solver) -> None:
        super().__init__()
        self.f = Counted(ConvDynamics(channels), solver.max_nfe)
        self.solver = solver

    def forward(self, y: Tensor) -> Tensor:
        t = torch.tensor([0.0, 1.0], dtype=y.dtype, device=y.device)
        return integrate(self.f, y, t, self.solver)[-1]


class Classifier(nn.Module):
    """Stem, block, head; images (n, 1, h, w) to logits (n, 10).

    Stem and head are initialised before the block, so that with one seed they are the same in every arm.
    """

    def __init__(self, size: str, block: dict[str, Any], solver: Solver) -> None:
        super().__init__()
        self.stem, channels = STEMS[size]()
        self.head = nn.Sequential(
            normalise(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)
        )
        self.block = BLOCKS[block["net"]](channels, block, solver)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.block(self.stem(x)))

    def take_nfe(self) -> tuple[int, int]:
        """Evaluations of f (forward, backward) since the last call; (0, 0) without an ODE."""
        return self.block.f.take() if isinstance(self.block, ODEBlock) else (0, 0)

    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.parameters())


def _stem_digits() -> tuple[nn.Module, int]:
    """One 3x3 convolution: the MNIST stem would map 8x8 images to a single pixel."""
    return conv3x3(1, 16, bias=True), 16


def _stem_mnist() -> tuple[nn.Module, int]:
    stem = nn.Sequential(
        nn.Conv2d(1, 64, 3), normalise(64), nn.ReLU(),
        nn.Conv2d(64, 64, 4, 2, 1), normalise(64), nn.ReLU(),
        nn.Conv2d(64, 64, 4, 2, 1),
    )  # fmt: skip
    return stem, 64


STEMS = {"digits": _stem_digits, "mnist": _stem_mnist}

BLOCKS = {
    "none": lambda channels, block, solver: nn.Identity(),
    "resnet": lambda channels, block, solver: nn.Sequential(
        *(ResidualBlock(channels) for _ in range(block["blocks"]))
    ),
    "odenet": lambda channels, block, solver: ODEBlock(channels, solver),
}
