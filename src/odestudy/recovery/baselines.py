"""Baselines without training through a solver: four ways to fit a right-hand side to the same observations."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from odestudy.nets.dynamics import MLPDynamics
from odestudy.recovery.judge import Learnt, Rollout, field_values, numpy_rollout
from odestudy.recovery.true_form import true_form
from odestudy.runtime.outcome import NumericalFailure
from odestudy.systems.trajectories import Observed

Fit = Callable[[Observed, dict[str, Any], np.random.Generator], tuple[Learnt, Rollout]]

THRESHOLDS = (0.02, 0.05, 0.1, 0.2, 0.5)
DEGREE = 3  # of SINDy's polynomials


def smoothed(data: Observed) -> tuple[np.ndarray, np.ndarray]:
    """States and slopes (k n, d) of a smoothing spline through each trajectory, its smoothness by cross-validation.

    Raises:
        NumericalFailure: a trajectory has too few points for a spline.
    """
    from scipy.interpolate import make_smoothing_spline

    states, slopes = np.empty_like(data.noisy), np.empty_like(data.noisy)
    try:
        for t, noisy, state, slope in zip(data.t, data.noisy, states, slopes, strict=True):
            for i in range(noisy.shape[1]):
                spline = make_smoothing_spline(t, noisy[:, i])
                state[:, i], slope[:, i] = spline(t), spline.derivative()(t)
    except ValueError as error:
        raise NumericalFailure("non_finite", f"smoothing spline: {error}") from None
    return states.reshape(-1, states.shape[-1]), slopes.reshape(-1, slopes.shape[-1])


def gradient_matching(
    data: Observed, spec: dict[str, Any], rng: np.random.Generator
) -> tuple[Learnt, Rollout]:
    """The same MLP fitted to the slopes of a smoothing spline (Varah 1982; Ellner, Seifu, Smith 2002)."""
    learnt = _regression(*smoothed(data), spec, rng)
    return learnt, partial(numpy_rollout, learnt)


def stepper(data: Observed, spec: dict[str, Any], rng: np.random.Generator) -> tuple[Learnt, Rollout]:
    """z[n+1] = z[n] + (t[n+1] - t[n]) net(z[n]) with the same MLP: a residual net, not an ODE."""
    d = data.noisy.shape[-1]
    gaps = np.diff(data.t, axis=1)[..., None]
    slopes = (np.diff(data.noisy, axis=1) / gaps).reshape(-1, d)
    learnt = _regression(data.noisy[:, :-1].reshape(-1, d), slopes, spec, rng)

    def roll(z0: np.ndarray, t: np.ndarray) -> np.ndarray:
        found = [z0]
        with np.errstate(all="ignore"):
            for dt in np.diff(t):
                found.append(found[-1] + dt * learnt(found[-1]))
        return np.stack(found, axis=1)

    return learnt, roll


def sindy(data: Observed, spec: dict[str, Any], rng: np.random.Generator) -> tuple[Learnt, Rollout]:
    """Sparse regression of the spline's slopes on polynomials (Brunton, Proctor, Kutz 2016), with pysindy.

    The threshold of the coefficients is chosen on a fifth of the points, in blocks, that the fit does not see.
    """
    states, slopes = smoothed(data)
    held = (np.arange(len(states)) * 20 // len(states)) % 5 == 4

    def miss(threshold: float) -> float:
        learnt = _sparse(states[~held], slopes[~held], threshold)
        return float(np.linalg.norm(learnt(states[held]) - slopes[held]))

    learnt = _sparse(states, slopes, min(THRESHOLDS, key=miss))
    return learnt, partial(numpy_rollout, learnt)


def _sparse(states: np.ndarray, slopes: np.ndarray, threshold: float) -> Learnt:
    """Sequentially thresholded least squares on polynomials."""
    import pysindy

    library = pysindy.PolynomialLibrary(degree=DEGREE)
    model = pysindy.SINDy(optimizer=pysindy.STLSQ(threshold=threshold), feature_library=library)
    with warnings.catch_warnings():  # that a threshold leaves nothing is seen in its error
        warnings.simplefilter("ignore")
        model.fit(states, t=1.0, x_dot=slopes)
    powers, coefficients = library.powers_, model.coefficients()

    def learnt(z: np.ndarray) -> np.ndarray:
        return (z[:, None, :] ** powers).prod(
            axis=2
        ) @ coefficients.T  # pysindy's own takes milliseconds a call

    return learnt


def _regression(
    states: np.ndarray, slopes: np.ndarray, spec: dict[str, Any], rng: np.random.Generator
) -> Learnt:
    """An MLP by least squares, all points in each of `fit_iterations` steps of Adam."""
    torch.manual_seed(int(rng.integers(2**31)))
    model = MLPDynamics(states.shape[1], spec["width"]).double()
    x, wanted = torch.from_numpy(states), torch.from_numpy(slopes)
    unit = wanted.std(dim=0).clamp_min(1e-12) if spec["system"].get("scaled") else torch.ones(())
    optimizer = torch.optim.Adam(model.parameters(), lr=spec["learning_rate"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, spec["fit_iterations"])
    for _ in range(spec["fit_iterations"]):
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.mse_loss(model(x[0, 0], x) / unit, wanted / unit)
        loss.backward()
        optimizer.step()
        schedule.step()
    if not torch.isfinite(loss):
        raise NumericalFailure("non_finite", "the regression's loss is not finite")
    return partial(field_values, model)


BASELINES: dict[str, Fit] = {
    "true_form": true_form,
    "gradient_matching": gradient_matching,
    "stepper": stepper,
    "sindy": sindy,
}
