"""Image classifiers: stem, block, head; only the block differs between the arms, but for two nets of their own.

The layers and their sizes for MNIST follow torchdiffeq's examples/odenet_mnist.py, with group normalisation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from odestudy.integrate import Solver
from odestudy.nets.blocks import (
    BatchNormDynamics,
    ConvDynamics,
    ODEBlock,
    ResidualBlock,
    TiedBlocks,
    conv3x3,
    normalise,
)

Normalise = Callable[[int], nn.Module]


@dataclass(frozen=True)
class Size:
    """What depends on the size of the images: side in pixels, channels, and the perceptron's hidden units.

    The hidden units give the perceptron about the ODE-Net's parameters (with MNIST 0.24 M, Chen et al. 2018, table 1).
    """

    side: int
    channels: int
    hidden: int


SIZES = {"digits": Size(8, 16, 72), "mnist": Size(28, 64, 300)}


class Classifier(nn.Module):
    """Stem, block, head; images (n, 1, h, w) to logits (n, 10).

    Stem and head are initialised before the block, so that with one seed they are the same in every arm.
    """

    def __init__(self, stem: nn.Module, head: nn.Module, make_block: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.stem, self.head = stem, head
        self.block = make_block()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.block(self.stem(x)))

    def take_nfe(self) -> tuple[int, int]:
        """Evaluations of f (forward, backward) since the last call; (0, 0) without an ODE."""
        return self.block.f.take() if isinstance(self.block, ODEBlock) else (0, 0)

    def ode(self) -> ODEBlock:
        """The block that integrates.

        Raises:
            ValueError: this net has none.
        """
        if not isinstance(self.block, ODEBlock):
            raise ValueError("this net has no ODE; allowed: nets odenet and walkthrough")
        return self.block

    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.parameters())


def make_classifier(size: str, arm: dict[str, Any], solver: Solver) -> Classifier:
    """The net of one arm.

    Args:
        size: digits or mnist.
        arm: `net`, and `blocks` of a residual one.

    Raises:
        ValueError: unknown size or net.
    """
    for name, value, known in (("size", size, SIZES), ("net", arm["net"], NETS)):
        if value not in known:
            raise ValueError(f"{name} {value!r}; allowed: {', '.join(known)}")
    return NETS[arm["net"]](SIZES[size], arm, solver)


def is_ode(arm: dict[str, Any]) -> bool:
    """Whether an arm's net integrates."""
    return arm["net"] in ("odenet", "walkthrough")


def _stem(size: Size, norm: Normalise) -> nn.Module:
    """Down to 6x6 for MNIST; one convolution for digits, which the MNIST stem would map to a single pixel."""
    c = size.channels
    if size.side < 28:
        return conv3x3(1, c, bias=True)
    return nn.Sequential(
        nn.Conv2d(1, c, 3), norm(c), nn.ReLU(),
        nn.Conv2d(c, c, 4, 2, 1), norm(c), nn.ReLU(),
        nn.Conv2d(c, c, 4, 2, 1),
    )  # fmt: skip


def _between(make_block: Callable[[int, dict[str, Any], Solver], nn.Module]) -> Any:
    def make(size: Size, arm: dict[str, Any], solver: Solver) -> Classifier:
        c = size.channels
        pool = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 10))
        return Classifier(
            _stem(size, normalise),
            nn.Sequential(normalise(c), nn.ReLU(), *pool),
            lambda: make_block(c, arm, solver),
        )

    return make


def _walkthrough(size: Size, arm: dict[str, Any], solver: Solver) -> Classifier:
    """The walk-through's net: batch normalisation throughout, and no ReLU behind the ODE."""
    c = size.channels
    head = nn.Sequential(nn.BatchNorm2d(c), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 10))
    return Classifier(_stem(size, nn.BatchNorm2d), head, lambda: ODEBlock(BatchNormDynamics(c), solver))


def _perceptron(size: Size, arm: dict[str, Any], solver: Solver) -> Classifier:
    """One hidden layer with ReLU."""
    hidden = nn.Sequential(nn.Flatten(), nn.Linear(size.side**2, size.hidden), nn.ReLU())
    return Classifier(hidden, nn.Linear(size.hidden, 10), nn.Identity)


NETS: dict[str, Callable[[Size, dict[str, Any], Solver], Classifier]] = {
    "none": _between(lambda c, arm, solver: nn.Identity()),
    "resnet": _between(
        lambda c, arm, solver: nn.Sequential(*(ResidualBlock(c) for _ in range(arm["blocks"])))
    ),
    "tied": _between(lambda c, arm, solver: TiedBlocks(c, arm["blocks"])),
    "odenet": _between(lambda c, arm, solver: ODEBlock(ConvDynamics(c), solver)),
    "walkthrough": _walkthrough,
    "mlp": _perceptron,
}
