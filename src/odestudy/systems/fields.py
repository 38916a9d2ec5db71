"""Right-hand sides f(t, z) -> dz/dt in NumPy, float64; z has shape (..., d)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Field = Callable[[float, np.ndarray], np.ndarray]


def linear(matrix: list[list[float]]) -> Field:
    """dz/dt = A z."""
    a = np.asarray(matrix, dtype=np.float64)
    return lambda t, z: z @ a.T


def cubic(matrix: list[list[float]]) -> Field:
    """dz/dt = A z^3, elementwise cube (torchdiffeq, examples/ode_demo.py); unstable ones blow up in finite time."""
    a = np.asarray(matrix, dtype=np.float64)
    return lambda t, z: z**3 @ a.T


def gated(a: list[list[float]], b: list[list[float]], centre: list[float]) -> Field:
    """dz/dt = s(z.c) A (z - c) + s(-z.c) B (z + c) with the logistic gate s (walk-through, its test dynamics)."""
    big_a, big_b, c = (np.asarray(x, dtype=np.float64) for x in (a, b, centre))

    def field(t: float, z: np.ndarray) -> np.ndarray:
        gate = 1.0 / (1.0 + np.exp(-(z @ c)))[..., None]
        return gate * ((z - c) @ big_a.T) + (1.0 - gate) * ((z + c) @ big_b.T)

    return field


def lotka_volterra(alpha: float, beta: float, gamma: float, delta: float) -> Field:
    """x' = alpha x - beta x y, y' = -gamma y + delta x y: prey and predator (Lotka 1925; Volterra 1926)."""

    def field(t: float, z: np.ndarray) -> np.ndarray:
        x, y = z[..., 0], z[..., 1]
        return np.stack([alpha * x - beta * x * y, -gamma * y + delta * x * y], axis=-1)

    return field


def pendulum(omega0: float, damping: float) -> Field:
    """theta' = w, w' = -damping w - omega0^2 sin(theta)."""

    def field(t: float, z: np.ndarray) -> np.ndarray:
        theta, w = z[..., 0], z[..., 1]
        return np.stack([w, -damping * w - omega0**2 * np.sin(theta)], axis=-1)

    return field


def fitzhugh_nagumo(a: float, b: float, tau: float, current: float) -> Field:
    """v' = v - v^3/3 - w + I, tau w' = v + a - b w (FitzHugh 1961)."""

    def field(t: float, z: np.ndarray) -> np.ndarray:
        v, w = z[..., 0], z[..., 1]
        return np.stack([v - v**3 / 3 - w + current, (v + a - b * w) / tau], axis=-1)

    return field


def van_der_pol(mu: float) -> Field:
    """x' = y, y' = mu (1 - x^2) y - x (van der Pol 1926); stiff for large mu."""

    def field(t: float, z: np.ndarray) -> np.ndarray:
        x, y = z[..., 0], z[..., 1]
        return np.stack([y, mu * (1 - x**2) * y - x], axis=-1)

    return field


def robertson(k1: float, k2: float, k3: float) -> Field:
    """Three species of an autocatalytic reaction, the sum conserved (Robertson 1966; HNW II, IV.1)."""

    def field(t: float, z: np.ndarray) -> np.ndarray:
        x, y, w = z[..., 0], z[..., 1], z[..., 2]
        slow, fast, back = k1 * x, k2 * y**2, k3 * y * w
        return np.stack([back - slow, slow - back - fast, fast], axis=-1)

    return field


def lorenz(sigma: float, rho: float, beta: float) -> Field:
    """x' = sigma (y - x), y' = x (rho - z) - y, z' = x y - beta z (Lorenz 1963)."""

    def field(t: float, z: np.ndarray) -> np.ndarray:
        x, y, w = z[..., 0], z[..., 1], z[..., 2]
        return np.stack([sigma * (y - x), x * (rho - w) - y, x * y - beta * w], axis=-1)

    return field


FIELDS: dict[str, Callable[..., Field]] = {
    "linear": linear,
    "cubic": cubic,
    "gated": gated,
    "lotka_volterra": lotka_volterra,
    "pendulum": pendulum,
    "fitzhugh_nagumo": fitzhugh_nagumo,
    "van_der_pol": van_der_pol,
    "robertson": robertson,
    "lorenz": lorenz,
}


def field_of(system: dict[str, Any], parameters: dict[str, Any] | None = None) -> Field:
    """The right-hand side of an entry of config/systems.yaml, with other `parameters` where given.

    Raises:
        ValueError: the name or the parameters are not known.
    """
    name = system["field"]
    if ".py:" in name:
        from odestudy.systems.own import own_field

        make = own_field(name)
    elif name in FIELDS:
        make = FIELDS[name]
    else:
        raise ValueError(
            f"system {system.get('name')}: field {name!r}; allowed: {', '.join(FIELDS)}, or FILE.py:FUNCTION"
        )
    try:
        return make(**(system.get("parameters", {}) if parameters is None else parameters))
    except TypeError as error:
        raise ValueError(
            f"system {system.get('name')}: parameters of field {name!r} do not fit: {error}"
        ) from None
