"""Metrics on disk: one JSON file and, beside it, the arrays; written whole or not at all."""

from __future__ import annotations

import io
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from odestudy.errors import DataError

FORMAT = 1


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` in one step, so that no reader ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def plain(value: Any) -> Any:
    """A value as JSON can hold it: NumPy scalars become Python's, non-finite numbers become null.

    Raises:
        TypeError: the value is neither a number, text, boolean nor a list or mapping of such.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    raise TypeError(f"metrics hold plain numbers and text; got {type(value).__name__}")


def write_metrics(path: Path, content: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write arrays.npz, then metrics.json, whose presence therefore means that all is there."""
    target = path.with_name("arrays.npz")
    if arrays:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        write_atomically(target, buffer.getvalue())
    else:
        target.unlink(missing_ok=True)
    text = json.dumps({"format": FORMAT, **plain(content)}, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(path, (text + "\n").encode())


def read_metrics(path: Path) -> dict[str, Any]:
    """Read one metrics.json.

    Raises:
        DataError: it is no metrics file; the text says how to mend it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        missing = {"spec", "rows", "provenance", "code"} - set(content)
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path}: not a metrics file ({error}); delete its folder and run again") from None
    if missing or content.get("format") != FORMAT:
        lacking = ", ".join(sorted(missing)) or f"format {FORMAT}"
        raise DataError(f"{path}: lacks {lacking}; delete its folder and run again")
    return content


def is_current(path: Path, code: str) -> bool:
    """Whether metrics are there, whole, and computed by this very code."""
    try:
        return read_metrics(path)["code"] == code
    except DataError:
        return False


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays beside a metrics.json; none where the job stored none."""
    file = path.with_name("arrays.npz")
    if not file.is_file():
        return {}
    with np.load(file, allow_pickle=False) as data:
        return {name: data[name] for name in data.files}
