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


def gated(a: list[list[float]], b: list[list[float]], centre: list[float]) -> Field:
    """dz/dt = s(z.c) A (z - c) + s(-z.c) B (z + c) with the logistic gate s (walk-through, its test dynamics)."""
    big_a, big_b, c = (np.asarray(x, dtype=np.float64) for x in (a, b, centre))

    def field(t: float, z: np.ndarray) -> np.ndarray:
        gate = 1.0 / (1.0 + np.exp(-(z @ c)))[..., None]
        return gate * ((z - c) @ big_a.T) + (1.0 - gate) * ((z + c) @ big_b.T)

    return field


FIELDS: dict[str, Callable[..., Field]] = {"linear": linear, "gated": gated}


def field_of(system: dict[str, Any]) -> Field:
    """The right-hand side of an entry of config/systems.yaml.

    Raises:
        ValueError: the name or the parameters are not known.
    """
    name = system["field"]
    if name not in FIELDS:
        raise ValueError(f"system {system.get('name')}: field {name!r}; allowed: {', '.join(FIELDS)}")
    try:
        return FIELDS[name](**system.get("parameters", {}))
    except TypeError as error:
        raise ValueError(
            f"system {system.get('name')}: parameters of field {name!r} do not fit: {error}"
        ) from None
