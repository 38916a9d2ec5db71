"""The true form of the right-hand side, its parameters by nonlinear least squares: what knowing the form is worth."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from odestudy.recovery.judge import Learnt, Rollout, numpy_rollout
from odestudy.runtime.outcome import NumericalFailure
from odestudy.systems.fields import Field, field_of
from odestudy.systems.trajectories import Observed

OFF = (
    0.2  # standard deviation of the start's distance from the truth, relative (absolute where the truth is 0)
)
STAGES = (0.1, 0.3, 1.0)  # shares of the horizon that are fitted one after the other
LARGE = 1e3  # the residual, in units of the spread, of a trajectory that does not exist


def true_form(data: Observed, spec: dict[str, Any], rng: np.random.Generator) -> tuple[Learnt, Rollout]:
    """Parameters and initial states by Levenberg's and Marquardt's method, shooting over growing shares of the time.

    The start is off the truth at random (`OFF`), so that this is a bound of what is possible and no method.

    Raises:
        NumericalFailure: the solver of the least squares gives up, or the system has no parameters.
    """
    from scipy.optimize import least_squares

    system = spec["system"]
    names, shapes, truth = flat(system.get("parameters", {}))
    if not len(truth):
        raise NumericalFailure("non_finite", "the system has no parameters to fit")
    theta = truth + OFF * rng.standard_normal(len(truth)) * np.where(truth != 0, np.abs(truth), 1.0)
    x = np.concatenate([theta, data.noisy[:, 0].reshape(-1)])
    n = data.t.shape[1]
    for share in STAGES:
        until = max(int(share * n), min(n, 8))
        residual = partial(_residual, data=data, system=system, names=names, shapes=shapes, until=until)
        jacobian = partial(_jacobian, residual=residual, count=len(truth), like=data.noisy[:, :until])
        try:
            found = least_squares(
                residual, x, jac=jacobian, method="trf", x_scale="jac", ftol=1e-10, xtol=1e-10, max_nfev=60
            )
        except ValueError as error:  # of SciPy, for numbers that are not finite
            raise NumericalFailure("non_finite", f"least squares: {error}") from error
        x = found.x
    field = field_of(system, unflat(x[: len(truth)], names, shapes))

    def learnt(z: np.ndarray) -> np.ndarray:
        return field(0.0, z)

    return learnt, partial(numpy_rollout, learnt, stiff=system.get("stiff", False))


def _residual(
    x: np.ndarray, data: Observed, system: dict[str, Any], names: list[str], shapes: list[tuple[int, ...]], until: int
) -> np.ndarray:  # fmt: skip
    k, _, d = data.noisy.shape
    field = field_of(system, unflat(x[: len(x) - k * d], names, shapes))
    z0 = x[len(x) - k * d :].reshape(k, d)
    predicted = _solve(field, z0, data.t[0, :until], system.get("stiff", False))
    return ((predicted - data.noisy[:, :until]) / data.spread).reshape(-1)


def _jacobian(
    x: np.ndarray, residual: Callable[[np.ndarray], np.ndarray], count: int, like: np.ndarray
) -> np.ndarray:
    """Forward differences (k n d, count + k d); initial states of different trajectories are moved at once.

    Args:
        count: parameters, which stand before the initial states.
        like: observations (k, n, d).
    """
    k, n, d = like.shape
    step = np.sqrt(np.finfo(float).eps) * np.maximum(np.abs(x), 1e-2)
    at = residual(x)
    found = np.zeros((len(at), len(x)))
    for i in range(count):
        moved = x.copy()
        moved[i] += step[i]
        found[:, i] = (residual(moved) - at) / step[i]
    for i in range(d):
        columns = count + np.arange(k) * d + i
        moved = x.copy()
        moved[columns] += step[columns]
        slopes = (residual(moved) - at).reshape(k, n * d) / step[columns, None]
        for row, column in enumerate(columns):
            found[row * n * d : (row + 1) * n * d, column] = slopes[row]
    return found


def _solve(field: Field, z0: np.ndarray, t: np.ndarray, stiff: bool) -> np.ndarray:
    """Trajectories (k, n, d); LARGE where they do not exist."""
    from scipy.integrate import solve_ivp

    def slope(time: float, z: np.ndarray) -> np.ndarray:
        return field(time, z.reshape(z0.shape)).reshape(-1)

    nowhere = np.full((len(z0), len(t), z0.shape[1]), LARGE)
    with np.errstate(all="ignore"):
        try:
            found = solve_ivp(
                slope,
                (t[0], t[-1]),
                z0.reshape(-1),
                "Radau" if stiff else "DOP853",
                t_eval=t,
                rtol=1e-7,
                atol=1e-9,
            )
        except ValueError:  # Radau's linear algebra, of a state that is no longer finite
            return nowhere
    states = np.full((z0.size, len(t)), LARGE)
    states[:, : found.y.shape[1]] = found.y
    return np.nan_to_num(states, nan=LARGE).T.reshape(len(t), *z0.shape).swapaxes(0, 1)


def flat(parameters: dict[str, Any]) -> tuple[list[str], list[tuple[int, ...]], np.ndarray]:
    """Names, shapes and all values in a row, of parameters that are numbers or nested lists of them."""
    values = {k: np.asarray(v, dtype=float) for k, v in parameters.items()}
    row = np.concatenate([v.reshape(-1) for v in values.values()]) if values else np.empty(0)
    return list(values), [v.shape for v in values.values()], row


def unflat(row: np.ndarray, names: list[str], shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    """The inverse of `flat`."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = np.split(row, ends[:-1])
    return {
        name: part.reshape(shape).tolist() if shape else float(part[0])
        for name, part, shape in zip(names, parts, shapes, strict=True)
    }
