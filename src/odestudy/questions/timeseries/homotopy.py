"""The path between two series in latent space, and how evenly it moves in data space."""

from __future__ import annotations

import torch
from torch import Tensor

from odestudy.questions.timeseries.latent import Latent
from odestudy.questions.timeseries.series import Series

POSITIONS = 41  # along the path, both ends among them
TIMES = 60  # over the window


def window_times(window: float, like: Tensor) -> Tensor:
    """TIMES even times over the window for latent states `like` (S, N, ...): (S, N, TIMES)."""
    times = torch.linspace(0, window, TIMES, dtype=like.dtype, device=like.device)
    return times.expand(*like.shape[:2], TIMES)


@torch.no_grad()
def paths(model: Latent, test: Series, pairs: int, window: float) -> Tensor:
    """Decoded series on straight lines of latent space, (S, pairs, POSITIONS, TIMES, d).

    Pair i leads from series 2 i, which is clockwise, to series 2 i + 1.
    """
    mean, _ = model.encoder(test.t[:, : 2 * pairs], test.x[:, : 2 * pairs])
    share = torch.linspace(0, 1, POSITIONS, dtype=mean.dtype, device=mean.device)[:, None]
    z = (1 - share) * mean[:, ::2, None] + share * mean[:, 1::2, None]
    flat = z.flatten(1, 2)
    return model.follow(flat, window_times(window, flat)).unflatten(1, (pairs, POSITIONS))


def smoothness(path: Tensor) -> dict[str, list[float]]:
    """How evenly paths (S, pairs, positions, times, d) move in data space, the mean over pairs for each seed.

    `steepest_tenth_pct` is the share of the way that the largest tenth of the steps takes: 10 where all are equal,
    100 for a leap. `detour` is the length of the way over the distance of its ends.
    """
    step = distance(path[:, :, 1:], path[:, :, :-1])
    most = step.topk(max(1, step.shape[-1] // 10), dim=-1).values
    length = step.sum(-1)
    ends = distance(path[:, :, -1], path[:, :, 0])
    return {
        "steepest_tenth_pct": (100 * most.sum(-1) / length).mean(1).tolist(),
        "detour": (length / ends).mean(1).tolist(),
    }


def distance(one: Tensor, other: Tensor) -> Tensor:
    """Root of the squared distance between series (..., times, d), averaged over the times."""
    return (one - other).square().sum(-1).mean(-1).sqrt()
