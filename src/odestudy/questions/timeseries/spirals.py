"""Spirals, half of them clockwise, observed evenly or at random times.

Two kinds: the Archimedean spirals of torchdiffeq's examples/latent_ode.py, and the linear ODEs of the walk-through.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from odestudy.questions.timeseries.series import Series

Truth = Callable[[np.ndarray], np.ndarray]  # times (N, q) -> points (N, q, 2), without noise


@dataclass(frozen=True)
class Kind:
    """A family of spirals: the length of the observed window, and how N of them are drawn."""

    window: float
    draw: Callable[[np.ndarray, np.random.Generator], Truth]


def archimedean(clockwise: np.ndarray, rng: np.random.Generator) -> Truth:
    """The two spirals of the released code, each series starting at its own angle.

    Counter-clockwise r = 0.3 theta around (5, 0), clockwise r = 15 / (6 pi + 1 - theta) around (-5, 0), where theta
    is the start plus the time. The code steps through 500 points up to 6 pi and observes 100 of them from a start
    at the 100th or later.
    """
    # ASSUME the start lies before the 250th point: a whole window must follow the observed one before the clockwise
    # spiral, whose radius goes to infinity, leaves the counter-clockwise one's size. The code starts as late as 400.
    start = rng.uniform(100, 250, len(clockwise)) * 6 * math.pi / 500

    def truth(t: np.ndarray) -> np.ndarray:
        theta = start[:, None] + t
        angle = np.where(clockwise[:, None], 6 * math.pi + 1 - theta, theta)
        radius = np.where(clockwise[:, None], 15 / angle, 0.3 * theta)
        centre = np.where(clockwise, -5.0, 5.0)[:, None]
        return np.stack([centre + radius * np.cos(angle), radius * np.sin(angle)], -1)

    return truth


def linear(clockwise: np.ndarray, rng: np.random.Generator) -> Truth:
    """The walk-through's spirals: x' = W x, each series with its own damped W and its own start."""
    n = len(clockwise)
    x0 = 2 * rng.standard_normal((n, 2))
    damping = -0.1 * np.abs(rng.standard_normal((n, 2))) - 0.05
    turning = np.abs(rng.standard_normal((n, 2))) * np.where(clockwise, 1.0, -1.0)[:, None]
    w = np.empty((n, 2, 2))
    w[:, 0, 0], w[:, 1, 1] = damping.T
    w[:, 0, 1], w[:, 1, 0] = turning[:, 0], -turning[:, 1]
    rates, modes = np.linalg.eig(w)
    share = np.linalg.solve(modes, x0.astype(modes.dtype)[..., None])[..., 0]

    def truth(t: np.ndarray) -> np.ndarray:
        growth = np.exp(rates[:, None] * t[..., None]) * share[:, None]
        return np.einsum("nij,nqj->nqi", modes, growth).real

    return truth


KINDS = {
    "archimedean": Kind(100 * 6 * math.pi / 500, archimedean),
    "linear": Kind(100 * 10 * math.pi / 200, linear),
}
POINTS = 100  # of the grid that sub-sequences are drawn from


def _even(count: int, observed: int, rng: np.random.Generator) -> np.ndarray:
    return np.tile(np.arange(observed) / observed, (count, 1))


def _drawn(count: int, observed: int, rng: np.random.Generator) -> np.ndarray:
    order = rng.permuted(np.tile(np.arange(POINTS), (count, 1)), axis=1)
    return np.sort(order[:, :observed], axis=1) / POINTS


def _irregular(count: int, observed: int, rng: np.random.Generator) -> np.ndarray:
    times = rng.permuted(np.sort(rng.random((count, POINTS)), axis=1), axis=1)
    return np.sort(times[:, :observed], axis=1)


# In units of the window: evenly; a random part of 100 even points; a random part of 100 random times.
SPACINGS = {"even": _even, "drawn": _drawn, "irregular": _irregular}


def spirals(
    kind: str,
    count: int,
    spacing: str,
    observed: int,
    noise: float,
    rng: np.random.Generator,
    inner: int = 100,
) -> Series:
    """`count` spirals of one kind, every other one clockwise, with `observed` observations each.

    Args:
        kind: a key of KINDS; spacing: a key of SPACINGS.
        noise: standard deviation of the observations.
        inner: times inside the window at which a forecast is judged.

    Raises:
        ValueError: kind or spacing is not known, or more than 100 are observed.
    """
    for name, value, known in (("kind", kind, KINDS), ("spacing", spacing, SPACINGS)):
        if value not in known:
            raise ValueError(f"{name} {value!r}; allowed: {', '.join(known)}")
    if not 2 <= observed <= POINTS:
        raise ValueError(f"observed must be 2 to {POINTS}; got {observed}")
    window = KINDS[kind].window
    truth = KINDS[kind].draw(np.arange(count) % 2 == 0, rng)
    t = window * SPACINGS[spacing](count, observed, rng)
    inner_t = np.sort(rng.uniform(t[:, :1], t[:, -1:], (count, inner)), axis=1)
    outer_t = window * (1 + SPACINGS[spacing](count, observed, rng))
    values = [truth(times) for times in (t, inner_t, outer_t)]
    noisy = [v + noise * rng.standard_normal(v.shape) for v in values]
    whole_t = np.tile(np.linspace(0, 2 * window, 2 * POINTS), (count, 1))
    arrays = (
        t,
        noisy[0],
        inner_t,
        values[1],
        noisy[1],
        outer_t,
        values[2],
        noisy[2],
        whole_t,
        truth(whole_t),
    )
    return Series(*map(torch.from_numpy, arrays))
