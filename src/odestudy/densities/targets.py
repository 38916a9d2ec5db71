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


def target_of(entry: dict[str, Any]) -> Target:
    """The target that an entry of the configuration names by `kind` and `parameters`.

    Raises:
        ValueError: the kind is unknown; the known ones are named.
    """
    if entry["kind"] not in KINDS:
        raise ValueError(f"target kind {entry['kind']!r}; allowed: {', '.join(KINDS)}")
    return KINDS[entry["kind"]](**entry.get("parameters", {}))


def entropy_nat(target: Target, rng: np.random.Generator, n: int = 50_000) -> float:
    """Differential entropy by Monte Carlo over the known density, in nat."""
    return float(-target.log_prob(target.sample(n, rng)).mean())
