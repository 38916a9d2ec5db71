"""Metrics on disk: one JSON file and, beside it, the arrays; written whole or not at all, refused where altered."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from odestudy.errors import DataError
from odestudy.runtime.files import plain, write_atomically
from odestudy.runtime.moved import same_code

FORMAT = 1
MEND = "delete its folder and run again"


def write_metrics(path: Path, content: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write arrays.npz, also where there are none, then metrics.json, whose presence means that all is there."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_atomically(path.with_name("arrays.npz"), buffer.getvalue())
    whole = {"format": FORMAT, **plain(content)}
    text = json.dumps(whole | {"seal": seal(whole)}, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(path, (text + "\n").encode())


def seal(content: Mapping[str, Any]) -> str:
    """A checksum of all that metrics say, which tells an edit by hand from what was computed."""
    sealed = {key: value for key, value in content.items() if key != "seal"}
    return hashlib.sha256(json.dumps(sealed, sort_keys=True).encode()).hexdigest()


def read_metrics(path: Path) -> dict[str, Any]:
    """Read one metrics.json.

    Raises:
        DataError: it is no metrics file, or was altered since it was written; the text says how to mend it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        missing = {"spec", "rows", "provenance", "code"} - set(content)
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise DataError(f"{path}: not a metrics file ({error}); {MEND}") from None
    if missing or content.get("format") != FORMAT:
        lacking = ", ".join(sorted(missing)) or f"format {FORMAT}"
        raise DataError(f"{path}: lacks {lacking}; {MEND}")
    if content.get("seal") != seal(content):
        raise DataError(f"{path}: altered since it was written; {MEND}")
    return content


def is_current(path: Path, code: str) -> bool:
    """Whether metrics and arrays are there, whole, and computed by this code."""
    try:
        return same_code(read_metrics(path)["code"], code) and path.with_name("arrays.npz").is_file()
    except DataError:
        return False


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays beside a metrics.json; none where the job stored none.

    Raises:
        DataError: the file is damaged.
    """
    file = path.with_name("arrays.npz")
    if not file.is_file():
        return {}
    try:
        with np.load(file, allow_pickle=False) as data:
            return {name: data[name] for name in data.files}
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{file}: damaged ({' '.join(str(error).split())}); {MEND}") from None
