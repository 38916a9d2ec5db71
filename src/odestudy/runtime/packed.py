"""Metrics and arrays of many jobs in a few small files: one compressed JSON and one npz a question."""

from __future__ import annotations

import io
import json
import lzma
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from odestudy.errors import DataError
from odestudy.runtime.files import write_atomically
from odestudy.runtime.store import seal
from odestudy.text import one_line

ANEW = "; take it anew from where it was made: `git restore`, or `odestudy pack` again"

Arrays = dict[str, np.ndarray]


@dataclass
class Packed:
    """The results of one question.

    Attributes:
        metrics: job folder -> content of its metrics.json; arrays: job folder -> name -> array.
    """

    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    arrays: dict[str, Arrays] = field(default_factory=dict)


def write_packed(folder: Path, question: str, packed: Packed) -> None:
    """Write metrics/<question>.json.xz and, where there are arrays, arrays/<question>.npz; same content, same bytes."""
    metrics = dict(sorted(packed.metrics.items()))
    text = json.dumps(metrics, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    write_atomically(folder / f"metrics/{question}.json.xz", lzma.compress(text.encode(), preset=9))
    flat = {f"{job}/{name}": a for job, arrays in packed.arrays.items() for name, a in arrays.items()}
    target = folder / f"arrays/{question}.npz"
    if not flat:
        target.unlink(missing_ok=True)
        return
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **{name: flat[name] for name in sorted(flat)})
    write_atomically(target, buffer.getvalue())


def read_packed(folder: Path) -> dict[str, Packed]:
    """Question -> its results, of a folder that write_packed wrote.

    Raises:
        DataError: a file is damaged, or the metrics of a job are not what it wrote.
    """
    metrics = read_packed_metrics(folder)
    return {question: Packed(found, _arrays(folder, question)) for question, found in metrics.items()}


def read_packed_metrics(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Question -> job folder -> metrics; empty where nothing is packed.

    Raises:
        DataError: a file is damaged, or the metrics of a job are not what it wrote.
    """
    found = {}
    for file in sorted(folder.glob("metrics/*.json.xz")):
        try:
            jobs = json.loads(lzma.decompress(file.read_bytes()))
            altered = [job for job, content in jobs.items() if content["seal"] != seal(content)]
        except (OSError, ValueError, TypeError, KeyError, AttributeError, lzma.LZMAError) as error:
            raise DataError(f"{file}: damaged ({error!r}){ANEW}") from None
        if altered:
            raise DataError(f"{file}: {altered[0]}: altered since it was computed{ANEW}")
        found[file.name.removesuffix(".json.xz")] = jobs
    return found


def _arrays(folder: Path, question: str) -> dict[str, Arrays]:
    file = folder / f"arrays/{question}.npz"
    found: dict[str, Arrays] = {}
    if not file.is_file():
        return found
    try:
        with np.load(file, allow_pickle=False) as data:
            for key in data.files:
                job, _, name = key.rpartition("/")
                array = data[key]
                # NumPy computes little in half precision.
                found.setdefault(job, {})[name] = array.astype("f4") if array.dtype == "f2" else array
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{file}: damaged ({one_line(error)}){ANEW}") from None
    return found
