"""A user's own right-hand side: `FILE.py:FUNCTION`, relative to the clone's folder."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np

from odestudy.runtime.clone import project_root


def own_file(name: str) -> Path:
    """The file of `FILE.py:FUNCTION`.

    Raises:
        ValueError: there is none.
    """
    path = project_root() / name.partition(".py:")[0]
    path = path.with_name(f"{path.name}.py")
    if not path.is_file():
        raise ValueError(f"field {name!r}: no file {path}")
    return path


def digest(name: str) -> str:
    """Twelve hexadecimal digits over the file's content: part of a job's identity."""
    return hashlib.sha256(own_file(name).read_bytes()).hexdigest()[:12]


def own_field(name: str) -> Callable[..., Callable[[float, np.ndarray], np.ndarray]]:
    """Keyword arguments -> f(t, z), for a function f(t, z, **parameters) that returns dz/dt like z (..., d).

    Raises:
        ValueError: no such file or function.
    """
    path = own_file(name)
    function = name.partition(".py:")[2]
    spec = importlib.util.spec_from_file_location(f"own_{path.stem}", path)
    assert spec is not None, "a path that ends in .py has a loader"
    assert spec.loader is not None, "a path that ends in .py has a loader"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not callable(getattr(module, function, None)):
        raise ValueError(f"field {name!r}: {path.name} has no function {function}")
    f = getattr(module, function)

    def make(**parameters: object) -> Callable[[float, np.ndarray], np.ndarray]:
        return lambda t, z: np.asarray(f(t, z, **parameters), dtype=np.float64)

    return make
