"""The targets that configuration names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from odestudy.densities.laws import Student, Target
from odestudy.densities.shapes import (
    checkerboard,
    circles,
    correlated,
    lattice,
    line,
    moons,
    pair,
    pinwheel,
    ring,
    spirals,
    uniforms,
)  # fmt: skip
from odestudy.densities.spatial import cluster, shells, trefoil

KINDS: dict[str, Callable[..., Target]] = {
    "ring": ring,
    "lattice": lattice,
    "pair": pair,
    "circles": circles,
    "moons": moons,
    "spirals": spirals,
    "pinwheel": pinwheel,
    "checkerboard": checkerboard,
    "uniforms": uniforms,
    "line": line,
    "student": Student,
    "gaussian": correlated,
    "shells": shells,
    "trefoil": trefoil,
    "cluster": cluster,
}


def target_of(kind: str, **arguments: Any) -> Target:
    """The target of a kind, with the keyword arguments that it takes.

    Raises:
        ValueError: the kind is unknown; the known ones are named.
    """
    if kind not in KINDS:
        raise ValueError(f"target kind {kind!r}; allowed: {', '.join(KINDS)}")
    return KINDS[kind](**arguments)


def entropy_nat(target: Target, rng: np.random.Generator, n: int = 50_000) -> float:
    """Differential entropy by Monte Carlo over the known density, in nat."""
    return float(-target.log_prob(target.sample(n, rng)).mean())
