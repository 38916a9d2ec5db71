"""Random numbers of one seed on one system: no two systems share noise or initial weights, all models of one share both."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

DATA, WINDOWS, FRESH, START = range(4)  # streams: observations, training, judgement, starts of baselines


def draws(spec: dict[str, Any], seed: int, stream: int) -> np.random.Generator:
    """The generator of a stream."""
    return np.random.default_rng([seed, stream, *own(spec)])


def own(spec: dict[str, Any]) -> list[int]:
    """What the name of the system adds to a seed; nothing where there is none."""
    name = spec.get("system", {}).get("name")
    return [] if name is None else [zlib.crc32(name.encode())]
