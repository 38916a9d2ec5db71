"""What the noise of observations allows: its size, the signal above it over time, and the error of even the right model."""

from __future__ import annotations

import numpy as np

from odestudy.fit.model import Ensemble
from odestudy.fit.neighbours import noise_between
from odestudy.fit.observations import Table

PARTS = 5  # of each trajectory's span, for the signal over time


def noise_of(table: Table) -> np.ndarray:
    """Standard deviation (d,) of each column's noise."""
    return noise_between(table.t, table.y)


def signal_to_noise(table: Table, noise: np.ndarray) -> list[float]:
    """How much the state moves within each fifth of the span, over the noise: root mean squares over columns and trajectories.

    nan where no trajectory has two points in a fifth; infinite without noise.
    """
    moves: list[list[np.ndarray]] = [[] for _ in range(PARTS)]
    for t, y in zip(table.t, table.y, strict=True):
        part = np.minimum((PARTS * (t - t[0]) / (t[-1] - t[0])).astype(int), PARTS - 1)
        for k in range(PARTS):
            if (part == k).sum() > 1:
                moves[k].append(y[part == k].var(axis=0, ddof=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = [np.mean(m, axis=0) / noise**2 - 1 if m else np.full(len(noise), np.nan) for m in moves]
    return [float(np.sqrt(max(0.0, np.mean(e)))) if not np.isnan(e).any() else float("nan") for e in excess]


def least_error(table: Table, seen: Table, ensemble: Ensemble, noise: np.ndarray) -> float:
    """Root mean square error of forecasts over the points held out if the model were right, in standard deviations of the data.

    The forecast starts from the last observation seen, whose noise the flow carries on, and is held against observations
    that have noise. The flow is the learnt one, linearised by a step of the noise to either side; the median over the
    models. Where no model can be continued, the noise of what it is held against alone.
    """
    spread = table.observed().spread
    own = float(np.mean((noise / spread) ** 2))
    steps = np.concatenate([np.diag(noise), -np.diag(noise)])
    carried = []
    for roll in ensemble.rolls():
        grown = []
        for t, y, s in zip(table.t, table.y, seen.t, strict=True):
            last = len(s) - 1
            if len(t) > len(s):
                paths = roll(y[last] + steps, t[last:])[:, 1:]  # (2 d, n, d)
                half = (paths[: len(noise)] - paths[len(noise) :]) / 2
                grown.append((half**2).sum(axis=0) / spread**2)
        carried.append(float(np.mean(np.concatenate(grown))))
    known = [c for c in carried if np.isfinite(c)]
    return float(np.sqrt(own + (np.median(known) if known else 0.0)))
