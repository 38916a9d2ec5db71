"""The Cramer-Rao bound: the least error of a field of known form that any unbiased estimate can have on such data."""

from __future__ import annotations

from typing import Any

import numpy as np

from odestudy.recovery.true_form import flat, unflat
from odestudy.systems.fields import Field, field_of
from odestudy.systems.trajectories import Observed, grid_around, in_support, reference

STEP = 1e-5  # of central differences, relative (absolute below 1)


def field_bound_pct(data: Observed, spec: dict[str, Any]) -> float | None:
    """Root mean square of the relative L2 error of the field on the data's support, in per cent; None without noise.

    Gaussian noise of known size, unknown parameters and unknown initial states (Kay 1993, chapter 3; the field's error
    is linearised in the parameters). None, too, where the data do not tell the parameters apart.
    """
    if not (data.noise > 0).all():
        return None
    try:
        covariance = np.linalg.inv(information(data, spec["system"]))
    except np.linalg.LinAlgError:
        return None
    grid = grid_around(data.states)
    grid = grid[in_support(grid, data.states)]
    names, shapes, truth = flat(spec["system"].get("parameters", {}))
    slopes = _differences(lambda row: _field(spec["system"], row, names, shapes)(0.0, grid), truth)
    wanted = field_of(spec["system"])(0.0, grid)
    square = np.einsum("pmd,pq,qmd->", slopes, covariance, slopes) / np.sum(wanted**2)
    return 100 * float(np.sqrt(square)) if square > 0 else None


def information(data: Observed, system: dict[str, Any]) -> np.ndarray:
    """Fisher's information (p, p) on the parameters, that on the initial states of all trajectories profiled out."""
    names, shapes, truth = flat(system.get("parameters", {}))
    stiff, t, starts = system.get("stiff", False), data.t[0], data.truth[:, 0]

    def solved(row: np.ndarray, z0: np.ndarray) -> np.ndarray:
        states = reference(_field(system, row, names, shapes), z0, t, stiff).swapaxes(0, 1)
        return (states / data.noise).reshape(len(z0), -1)

    by_theta = _differences(lambda row: solved(row, starts), truth)  # (p, k, n d)
    by_start = _differences(
        lambda move: solved(truth, starts + move), np.zeros(starts.shape[1])
    )  # (d, k, n d)
    found = np.zeros((len(truth), len(truth)))
    for s, z in zip(by_theta.swapaxes(0, 1), by_start.swapaxes(0, 1), strict=True):
        explained = np.linalg.lstsq(z.T, s.T, rcond=None)[0]
        rest = s.T - z.T @ explained
        found += rest.T @ rest
    return found


def _field(system: dict[str, Any], row: np.ndarray, names: list[str], shapes: list[tuple[int, ...]]) -> Field:
    return field_of(system, unflat(row, names, shapes))


def _differences(of: Any, at: np.ndarray) -> np.ndarray:
    """Central differences of an array-valued function in each entry of `at`, stacked."""
    found = []
    for i in range(len(at)):
        step = STEP * max(abs(at[i]), 1.0)
        up, down = at.copy(), at.copy()
        up[i] += step
        down[i] -= step
        found.append((of(up) - of(down)) / (2 * step))
    return np.stack(found)
