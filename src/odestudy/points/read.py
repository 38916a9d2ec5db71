"""Points from a CSV file, refused where a density could not be fitted to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from odestudy.errors import DataError
from odestudy.text import one_line

MOST_DIMENSIONS = 64
FEWEST_ROWS, ROWS_A_DIMENSION = 100, 20
NAMED_ROWS = 10
LARGEST = 1e100  # of a value, so that squares are finite


def read_points(path: Path) -> np.ndarray:
    """Read the columns x1 ... xd of a CSV file, (n, d) float64; rows are numbered from 1, without the header.

    Raises:
        DataError: the file cannot be read; columns are other than x1 ... xd with d up to 64; a value is missing or no
            finite number (the rows are named); there are too few rows; a column is constant; a value's square is infinite.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as CSV ({one_line(error)})") from None
    table.columns = [str(name).strip() for name in table.columns]
    d = len(table.columns)
    wanted = [f"x{i + 1}" for i in range(d)]
    if sorted(table.columns) != sorted(wanted) or not 1 <= d <= MOST_DIMENSIONS:
        raise DataError(
            f"{path}: columns {one_line(_some(list(table.columns)))}; wanted: x1, x2 and so on up to xd, d at most {MOST_DIMENSIONS}"
        )
    values = table[wanted].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1)) + 1
    if len(bad):
        raise DataError(
            f"{path}: {len(bad)} of {len(values)} rows have a value that is missing or no finite number: rows "
            f"{_some(bad.tolist())}; remove or mend them"
        )
    far = np.flatnonzero((np.abs(values) > LARGEST).any(axis=1)) + 1
    if len(far):
        raise DataError(f"{path}: rows {_some(far.tolist())}: values beyond {LARGEST:g}; choose another unit")
    fewest = max(FEWEST_ROWS, ROWS_A_DIMENSION * d)
    if len(values) < fewest:
        raise DataError(f"{path}: {len(values)} rows; a density in {d} dimensions wants at least {fewest}")
    constant = [name for name, spread in zip(wanted, values.std(axis=0), strict=True) if not spread > 0]
    if constant:
        raise DataError(f"{path}: constant column {_some(constant)}, which has no density; leave it out")
    return values


def _some(things: Sequence[object]) -> str:
    shown = ", ".join(map(str, things[:NAMED_ROWS]))
    return shown + (f" and {len(things) - NAMED_ROWS} more" if len(things) > NAMED_ROWS else "")
