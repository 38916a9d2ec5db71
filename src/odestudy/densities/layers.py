"""A perceptron taken apart, so that its Jacobian need not be formed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.functional import linear


@dataclass(frozen=True)
class Layers:
    """f(t, z) = W_L s(... s(W_1 z + b_1 + c t) ...) + b_L with s = tanh; L = 1 is a linear field.

    Attributes:
        weights: W_1 (w_1, d), W_2 (w_2, w_1), ..., W_L (d, w_{L-1}).
        biases: of the same number; None where there is none.
        time: c (w_1,), or None. Time enters as a bias only, so no weight depends on it.
    """

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor | None, ...]
    time: Tensor | None

    @property
    def sizes(self) -> tuple[int, ...]:
        """(d, w_1, ..., w_{L-1})."""
        return tuple(weight.shape[1] for weight in self.weights)

    def __call__(self, t: Tensor, z: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Values (n, d) at z (n, d), and s' in each hidden layer, (n, w_i)."""
        slopes: list[Tensor] = []
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            z = linear(z, weight, bias)
            if self.time is not None and not slopes:
                z = z + self.time * t
            z = torch.tanh(z)
            slopes.append(1 - z.square())
        return linear(z, self.weights[-1], self.biases[-1]), slopes


@runtime_checkable
class HasLayers(Protocol):
    """A field that can be taken apart."""

    def layers(self) -> Layers: ...


def layers_of(field: object) -> Layers:
    """The layers of a field.

    Raises:
        ValueError: it has no method `layers`.
    """
    if not isinstance(field, HasLayers):
        raise ValueError(
            f"{type(field).__name__} cannot be taken apart; a structured formula needs a field with a method "
            "'layers', as Field, Stack and LinearField have"
        )
    return field.layers()


def pushed(tangents: Tensor, weights: tuple[Tensor, ...], slopes: list[Tensor]) -> Tensor:
    """Tangents (n, k, w) carried through layers, each a product with W and then with s'; (n, k, w_last)."""
    for weight, slope in zip(weights, slopes, strict=True):
        tangents = linear(tangents, weight) * slope[:, None]
    return tangents
