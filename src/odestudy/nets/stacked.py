"""Layers of S nets at once, one a seed: parameters have the seeds as first dimension, and so has the input.

Small nets cost the time of launching their operations; S of them trained as one cost little more than one. Nothing
mixes the seeds, so each net gets what it would have got alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn

from odestudy.nets.stacked_sequence import gru_states


def uniform(generators: Sequence[Generator], shape: tuple[int, ...], reach: float) -> nn.Parameter:
    """One tensor a seed out of its own generator, uniform in [-reach, reach], stacked."""
    drawn = [torch.rand(shape, generator=g) * 2 * reach - reach for g in generators]
    return nn.Parameter(torch.stack(drawn))


def normal_like(like: Tensor, generators: Sequence[Generator]) -> Tensor:
    """Standard normal numbers shaped like (S, ...), each seed's out of its own generator."""
    drawn = [torch.randn(like.shape[1:], generator=g) for g in generators]
    return torch.stack(drawn).to(like)


class StackedLinear(nn.Module):
    """x W^T + b for each seed, (S, ..., n_in) to (S, ..., n_out); initialised as torch's Linear."""

    def __init__(
        self, generators: Sequence[Generator], n_in: int, n_out: int, reach: float | None = None
    ) -> None:
        super().__init__()
        reach = n_in**-0.5 if reach is None else reach
        self.weight = uniform(generators, (n_in, n_out), reach)
        self.bias = uniform(generators, (1, n_out), reach)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(len(x), -1, x.shape[-1])
        return torch.baddbmm(self.bias, rows, self.weight).reshape(*x.shape[:-1], -1)


class StackedGRU(nn.Module):
    """The gated recurrent unit of torch's GRUCell for each seed; its inputs can be projected all at once."""

    def __init__(self, generators: Sequence[Generator], n_in: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.project = StackedLinear(generators, n_in, 3 * hidden, hidden**-0.5)
        self.recur = StackedLinear(generators, hidden, 3 * hidden, hidden**-0.5)

    def step(self, projected: Tensor, h: Tensor) -> Tensor:
        """The next state (S, ..., hidden) from project(input) (S, ..., 3 hidden) and the state."""
        of_input, of_state = projected.split([2 * self.hidden, self.hidden], -1), self.recur(h)
        gates, inner = of_state.split([2 * self.hidden, self.hidden], -1)
        reset, keep = torch.sigmoid(of_input[0] + gates).chunk(2, -1)
        candidate = torch.tanh(torch.addcmul(of_input[1], reset, inner))
        return torch.lerp(candidate, h, keep)

    def along(self, x: Tensor, h: Tensor) -> Tensor:
        """The states (S, N, T, hidden) after each of the inputs x (S, N, T, n_in), from the state h (S, N, hidden)."""
        projected = self.project(x.transpose(1, 2))
        return gru_states(projected, h, self.recur.weight, self.recur.bias).transpose(1, 2)

    def start(self, like: Tensor) -> Tensor:
        """The state zero for inputs (S, N, ...)."""
        return like.new_zeros(*like.shape[:2], self.hidden)


class StackedMLP(nn.Module):
    """Linear layers with an activation between them, for each seed."""

    def __init__(self, generators: Sequence[Generator], widths: Sequence[int], activation: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList([StackedLinear(generators, a, b) for a, b in pairwise(widths)])
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)
