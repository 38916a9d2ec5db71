"""Errors of a learnt right-hand side against the true one: field, trajectories, eigenvalues, the system's marks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from odestudy.integrate import Solver, integrate_samples
from odestudy.runtime.outcome import NumericalFailure, Row
from odestudy.systems.diagnostics import MARKS
from odestudy.systems.fields import field_of
from odestudy.systems.trajectories import Observed, grid_around, in_support, reference

HELD_OUT = 8  # fresh initial states in the box that the data fill
FRESH_POINTS = 64  # of each trajectory from there, where the data do not say
Learnt = Callable[[np.ndarray], np.ndarray]  # states (n, d) -> slopes (n, d)
Rollout = Callable[[np.ndarray, np.ndarray], np.ndarray]  # z0 (k, d), t (n,) -> (k, n, d); NaN where it ends


def field_values(model: nn.Module, states: np.ndarray) -> np.ndarray:
    """The slopes of a model at states (n, d)."""
    like = next(model.parameters())
    with torch.no_grad():
        return model(like.new_zeros(()), torch.as_tensor(states).to(like)).cpu().double().numpy()


def torch_rollout(model: nn.Module, z0: np.ndarray, t: np.ndarray, max_nfe: int = 20_000) -> np.ndarray:
    """Trajectories (k, n, d) of a model from z0 (k, d); nan from where one cannot be continued."""
    like = next(model.parameters())
    solver = Solver(method="dopri5", rtol=1e-6, atol=1e-8, max_nfe=max_nfe)
    with torch.no_grad():
        start, when = torch.as_tensor(z0).to(like), torch.as_tensor(t).to(like)
        ys = integrate_samples(model, start, when.expand(len(z0), -1), solver).ys
    return ys.cpu().double().numpy().swapaxes(0, 1)


def numpy_rollout(learnt: Learnt, z0: np.ndarray, t: np.ndarray, stiff: bool = False) -> np.ndarray:
    """The same for a right-hand side in NumPy."""
    found = np.full((len(z0), len(t), z0.shape[1]), np.nan)
    for one, start in zip(found, z0, strict=True):
        states = _solve(learnt, start, t, stiff)
        one[: len(states)] = states
    return found


def _solve(learnt: Learnt, z0: np.ndarray, t: np.ndarray, stiff: bool) -> np.ndarray:
    """States (m, d) at the first m of the times t: as far as the trajectory can be continued."""
    from scipy.integrate import solve_ivp

    limit = 1e6 * (1 + np.abs(z0).max())

    def runs_away(time: float, z: np.ndarray) -> float:
        return limit - np.abs(z).max()

    runs_away.terminal = True  # type: ignore[attr-defined]  # solve_ivp reads it there
    with np.errstate(all="ignore"):
        found = solve_ivp(
            lambda _, z: learnt(z[None])[0], (t[0], t[-1]), z0, "Radau" if stiff else "RK45", t_eval=t, rtol=1e-6,
            atol=1e-9, events=runs_away,
        )  # fmt: skip
    return np.reshape(found.y, (len(z0), -1)).T


def judge(
    learnt: Learnt, roll: Rollout, data: Observed, spec: dict[str, Any], rng: np.random.Generator
) -> tuple[Row, dict[str, np.ndarray]]:
    """Errors of a learnt right-hand side, and arrays for the figures.

    Errors of the field are relative in the L2 norm over a grid, apart for the support of the data and the rest; a
    trajectory's is its root mean square over the standard deviation of each component; from fresh initial states, over
    that of the true trajectories from there, so that a forecast of nothing has the error one.
    """
    system = spec["system"]
    field, stiff = field_of(system), system.get("stiff", False)
    grid = grid_around(data.states)
    inside = in_support(grid, data.states)
    wanted, got = field(0.0, grid), learnt(grid)
    unit = data.spread if system.get("scaled") else np.ones(grid.shape[1])
    error = (got - wanted) / unit

    def relative_pct(rows: np.ndarray) -> float | None:
        if not rows.any():
            return None
        return 100 * float(np.linalg.norm(error[rows]) / np.linalg.norm((wanted / unit)[rows]))

    found: Row = {"field_error_pct": relative_pct(inside), "field_error_off_pct": relative_pct(~inside)}
    t, n = data.t[0], data.t.shape[1]
    far = np.concatenate([t, np.linspace(t[-1], 2 * t[-1], n)[1:]])
    mine = roll(data.truth[:1, 0], far)[0]
    true = _reference(field, data.truth[0, 0], far, stiff)
    found["trajectory_nrmse"] = _nrmse(mine[:n], data.truth[0], data.spread)
    found["extrapolation_nrmse"] = _nrmse(mine[n:], true[n:], data.spread)
    fresh: dict[str, np.ndarray] = {}
    if not stiff:  # a random state of a stiff system lies off its slow manifold, where nothing was seen
        fresh = _fresh(roll, data, spec, rng)
        true_fresh = fresh["fresh_true"]
        found["heldout_nrmse"] = _nrmse(fresh["fresh_learnt"], true_fresh, true_fresh.std(axis=(0, 1)))
    if system["field"] in MARKS:
        found |= MARKS[system["field"]](system.get("parameters", {}), far, true, mine)
    arrays = {
        "learnt": mine[:n],
        "grid": grid,
        "grid_error": np.linalg.norm(error, axis=1),
        "grid_inside": inside,
    }
    return found, arrays | {"grid_learnt": got} | fresh


def _fresh(
    roll: Rollout, data: Observed, spec: dict[str, Any], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Trajectories (k, n, d) from fresh initial states in the box of the data, to `test_horizon` or as far as the data."""
    field, t = field_of(spec["system"]), data.t[0]
    if "test_horizon" in spec:
        t = np.linspace(0.0, spec["test_horizon"], FRESH_POINTS)
    low, high = data.states.min(axis=0), data.states.max(axis=0)
    starts = rng.uniform(low, high, (HELD_OUT, data.states.shape[1]))
    true = _reference(field, starts, t, stiff=False).swapaxes(0, 1)
    return {"fresh_t": t, "fresh_true": true, "fresh_learnt": roll(starts, t)}


def _reference(field: Any, z0: np.ndarray, t: np.ndarray, stiff: bool) -> np.ndarray:
    try:
        return reference(field, z0, t, stiff)
    except NumericalFailure:  # the true system need not exist that long
        return np.full((len(t), *z0.shape), np.nan)


def _nrmse(mine: np.ndarray, truth: np.ndarray, spread: np.ndarray) -> float:
    return float(np.sqrt(np.mean(((mine - truth) / spread) ** 2)))


def matrix_of(learnt: Learnt, d: int) -> np.ndarray:
    """The matrix of a linear right-hand side."""
    return learnt(np.eye(d)).T


def eigenvalue_error_pct(learnt: np.ndarray, truth: np.ndarray) -> float:
    """The best matching of the two spectra: largest distance over the largest true modulus."""
    from scipy.optimize import linear_sum_assignment

    distance = np.abs(np.linalg.eigvals(learnt)[:, None] - np.linalg.eigvals(truth)[None, :])
    rows, columns = linear_sum_assignment(distance)
    return 100 * float(distance[rows, columns].max() / np.abs(np.linalg.eigvals(truth)).max())
