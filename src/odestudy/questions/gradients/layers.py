"""Layers that see several earlier ones, and the Adams-Bashforth method that they can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

# b_j of y_{n+1} = y_n + h sum_j b_j f(y_{n-j}); Hairer, Norsett, Wanner I, table III.1.1 (k = 5, 6 by eq. III.1.5).
ADAMS_BASHFORTH: dict[int, tuple[Fraction, ...]] = {
    1: (Fraction(1),),
    2: tuple(Fraction(n, 2) for n in (3, -1)),
    3: tuple(Fraction(n, 12) for n in (23, -16, 5)),
    4: tuple(Fraction(n, 24) for n in (55, -59, 37, -9)),
    5: tuple(Fraction(n, 720) for n in (1901, -2774, 2616, -1274, 251)),
    6: tuple(Fraction(n, 1440) for n in (4277, -7923, 9982, -7298, 2877, -475)),
}


def windowed(
    f: Callable[[Tensor], Tensor], start: Sequence[Tensor], weights: Sequence[float], h: float, layers: int
) -> list[Tensor]:
    """States behind `layers` layers, each the state before plus a mix of the features of its k predecessors.

    A feature is f of a state. `start` holds the first k states, the newest last.
    """
    states = list(start)
    features = [f(y) for y in reversed(states)]  # newest first
    for _ in range(layers):
        mix = features[0] * weights[0]
        for w, feature in zip(weights[1:], features[1:], strict=True):
            mix = torch.add(mix, feature, alpha=w)
        states.append(states[-1] + mix * h)
        features = [f(states[-1]), *features[: len(weights) - 1]]
    return states[len(start) :]


def dense_weights(weights: Sequence[Fraction], layers: int) -> np.ndarray:
    """What the free weights of a DenseNet have to be: row l holds those of layer l for the features of all before.

    Without a running state, y_l = y_0 + h sum_m W[l, m] f(y_m), W is the cumulated window: partial sums of the b_j for
    the newest k features, and their whole sum, one, for all older ones. Shape (layers, layers), lower triangular,
    for a start with exact slopes before y_0 left out.
    """
    found = np.zeros((layers, layers))
    for row in range(layers):
        for m in range(row + 1):
            found[row, m] = float(sum(weights[: row - m + 1]))
    return found


def concatenated(
    f: Callable[[Tensor], Tensor], start: Sequence[Tensor], weights: Sequence[Fraction], h: float, layers: int
) -> list[Tensor]:
    """The same states as `windowed`, as a DenseNet computes them: one linear map of all features, no running state."""
    k = len(weights)
    base = start[-1]
    features = [f(y) for y in start]
    older = k - 1  # features of the states before base, which only the window's tail sees
    total = dense_weights(weights, layers)
    states = []
    for row in range(layers):
        tail = [
            sum((weights[j] for j in range(i + 1, min(i + row + 1, k - 1) + 1)), Fraction(0))
            for i in range(older)
        ]
        mix = [*(float(w) for w in reversed(tail)), *total[row, : row + 1]]
        stacked = torch.stack(features, -1)
        states.append(base + h * (stacked @ torch.tensor(mix, dtype=base.dtype)))
        features.append(f(states[-1]))
    return states
