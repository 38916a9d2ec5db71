"""Marks of a system beside its trajectory: an invariant, an energy, a period, a time of validity.

Each mark takes the system's parameters, times (n,), the true and the learnt trajectory (n, d) over twice the observed
horizon, and returns columns of a row; None where a learnt trajectory does not have the mark.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Mark = Callable[[dict[str, Any], np.ndarray, np.ndarray, np.ndarray], dict[str, float | None]]

LORENZ_EXPONENT = 0.9056  # largest Lyapunov exponent at (10, 28, 8/3); Viswanath 1998, Sprott 2003
VALID_ERROR = 0.4  # of the attractor's spread, as in Pathak et al. 2018 (PRL 120, 024102)


def lotka_volterra(
    p: dict[str, Any], t: np.ndarray, true: np.ndarray, mine: np.ndarray
) -> dict[str, float | None]:
    """Largest relative drift of V = delta x - gamma log x + beta y - alpha log y along the learnt trajectory."""
    if not (mine > 0).all():
        return {"invariant_drift_pct": None}
    x, y = mine[:, 0], mine[:, 1]
    v = p["delta"] * x - p["gamma"] * np.log(x) + p["beta"] * y - p["alpha"] * np.log(y)
    return {"invariant_drift_pct": 100 * float(np.abs(v - v[0]).max() / abs(v[0]))}


def pendulum(p: dict[str, Any], t: np.ndarray, true: np.ndarray, mine: np.ndarray) -> dict[str, float | None]:
    """Largest error of the energy w^2/2 + omega0^2 (1 - cos theta), over the energy at the start."""
    energy = [z[:, 1] ** 2 / 2 + p["omega0"] ** 2 * (1 - np.cos(z[:, 0])) for z in (true, mine)]
    return {"energy_error_pct": _finite(100 * np.abs(energy[1] - energy[0]).max() / energy[0][0])}


def robertson(
    p: dict[str, Any], t: np.ndarray, true: np.ndarray, mine: np.ndarray
) -> dict[str, float | None]:
    """Largest drift of the conserved sum of species."""
    total = mine.sum(axis=1)
    return {"invariant_drift_pct": _finite(100 * np.abs(total - total[0]).max() / abs(total[0]))}


def oscillator(
    p: dict[str, Any], t: np.ndarray, true: np.ndarray, mine: np.ndarray
) -> dict[str, float | None]:
    """Relative error of the period, between the last upward crossings of the true mean by the first component."""
    level = float(true[:, 0].mean())
    wanted, got = (_period(t, z[:, 0] - level) for z in (true, mine))
    if wanted is None or got is None:
        return {"period_error_pct": None}
    return {"period_error_pct": 100 * abs(got - wanted) / wanted}


def lorenz(p: dict[str, Any], t: np.ndarray, true: np.ndarray, mine: np.ndarray) -> dict[str, float | None]:
    """Time until the error passes 0.4 of the attractor's spread, in Lyapunov times."""
    spread = np.sqrt(((true - true.mean(axis=0)) ** 2).sum(axis=1).mean())
    wrong = ~(np.linalg.norm(mine - true, axis=1) <= VALID_ERROR * spread)  # NaN counts as wrong
    until = t[np.argmax(wrong)] if wrong.any() else t[-1]
    return {"valid_lyapunov_times": float(until * LORENZ_EXPONENT)}


def _period(t: np.ndarray, x: np.ndarray) -> float | None:
    """Mean distance of upward crossings of zero, the first one left out; None below three of them."""
    up = np.flatnonzero((x[:-1] < 0) & (x[1:] >= 0))
    if len(up) < 3:
        return None
    at = t[up] - x[up] * (t[up + 1] - t[up]) / (x[up + 1] - x[up])
    return float(np.diff(at[1:]).mean())


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


MARKS: dict[str, Mark] = {
    "lotka_volterra": lotka_volterra,
    "pendulum": pendulum,
    "robertson": robertson,
    "fitzhugh_nagumo": oscillator,
    "van_der_pol": oscillator,
    "lorenz": lorenz,
}
