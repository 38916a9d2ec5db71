"""The noise of observations, by how far each is off a polynomial through its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

NEIGHBOURS = (2, 4)  # on each side, between which a polynomial is laid; one where a trajectory is too short
RESIDUALS = 12  # that a trajectory must give for more neighbours than the fewest


def noise_between(times: Sequence[np.ndarray], states: Sequence[np.ndarray]) -> np.ndarray:
    """Standard deviation (d,) of each column's noise, from how far observations are off what their neighbours say.

    The polynomial through the neighbours, evaluated between them, as in Gasser, Sroka and Jennen-Steinmetz 1986
    (Biometrika 73, equation 2.2, there a line through one on each side). Where observations are so far apart that the
    state bends between them, bending is taken for noise, so that this is an upper bound there: the least is taken of what
    few neighbours say and many, whose polynomial bends more.
    """
    found = []
    for reach in NEIGHBOURS:
        residuals = [_off_neighbours(t, y, reach) for t, y in zip(times, states, strict=True)]
        found.append(np.sqrt(np.mean(np.concatenate(residuals) ** 2, axis=0)))
    return np.min(found, axis=0)


def _off_neighbours(t: np.ndarray, y: np.ndarray, reach: int) -> np.ndarray:
    """Residuals (m, d) with the variance of the noise."""
    fewest = NEIGHBOURS[0]
    if reach > fewest and len(t) < 2 * reach + RESIDUALS:
        reach = fewest
    reach = reach if len(t) > 2 * reach else 1
    sides = [k for k in range(-reach, reach + 1) if k]
    found = []
    for i in range(reach, len(t) - reach):
        at = np.array([i + k for k in sides])
        weights = np.array([np.prod((t[i] - t[at[at != j]]) / (t[j] - t[at[at != j]])) for j in at])
        found.append((y[i] - weights @ y[at]) / np.sqrt(1 + weights @ weights))
    return np.array(found)
