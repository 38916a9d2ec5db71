"""A residual block and the Euler step that it is said to be, forward and backward."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from odestudy.integrate import Solver, integrate
from odestudy.nets.images import ResidualBlock
from odestudy.questions.gradients.fields import TanhNet

CHANNELS, WIDTH = 4, 16


class Autonomous(nn.Module):
    """f(t, y) = branch(y)."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.branch(y)


def convolutional(dtype: torch.dtype) -> tuple[Callable[[Tensor], Tensor], nn.Module, Tensor]:
    """The block of the image experiments, its branch as a right-hand side with the same weights, and a state."""
    block = ResidualBlock(CHANNELS).to(dtype)
    relu = nn.ReLU()
    branch = nn.Sequential(block.norm1, relu, block.conv1, block.norm2, relu, block.conv2)
    return block, Autonomous(branch), torch.randn(3, CHANNELS, 6, 6, dtype=dtype)


def perceptron(dtype: torch.dtype) -> tuple[Callable[[Tensor], Tensor], nn.Module, Tensor]:
    """y + net(y)."""
    f = TanhNet(5, WIDTH).to(dtype)
    return lambda y: y + f.net(y), f, torch.randn(7, 5, dtype=dtype)


def after_addition(dtype: torch.dtype) -> tuple[Callable[[Tensor], Tensor], nn.Module, Tensor]:
    """relu(y + net(y)), the first form of the residual block (He et al. 2015): no Euler step of any f."""
    f = TanhNet(5, WIDTH).to(dtype)
    return lambda y: torch.relu(y + f.net(y)), f, torch.randn(7, 5, dtype=dtype)


NETS = {"convolutional": convolutional, "perceptron": perceptron, "after_addition": after_addition}


def results(step: Callable[[Tensor], Tensor], f: nn.Module, y: Tensor) -> dict[str, Tensor]:
    """Output, and the gradients in state and weights for a fixed cotangent."""
    y = y.clone().requires_grad_()
    out = step(y)
    v = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).reshape(out.shape)
    grad_y, *grads = torch.autograd.grad(out, [y, *f.parameters()], v)
    weights = torch.cat([g.reshape(-1) for g in grads])
    return {"output": out.detach(), "gradient in the state": grad_y, "gradient in the weights": weights}


def euler(f: nn.Module, depth: int, step: float, library: str) -> Callable[[Tensor], Tensor]:
    """Euler's method from t = 0 to t = depth."""
    solver = Solver(library=library, method="euler", step=step)

    def run(y: Tensor) -> Tensor:
        return integrate(f, y, torch.tensor([0.0, float(depth)], dtype=y.dtype), solver)[-1]

    return run


def stacked(block: Callable[[Tensor], Tensor], depth: int) -> Callable[[Tensor], Tensor]:
    """The same block, applied `depth` times: a residual network with tied weights."""

    def run(y: Tensor) -> Tensor:
        for _ in range(depth):
            y = block(y)
        return y

    return run
