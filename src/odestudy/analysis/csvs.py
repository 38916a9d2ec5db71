"""Tables on disk. Apart from tables.py, so that a figure need not import the statistics."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from odestudy.runtime.files import write_atomically

TEXT = dict.fromkeys(("message", "commit", "reason", "detail", "interval"), str)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table; numbers keep all their digits."""
    write_atomically(path, table.to_csv(index=False, lineterminator="\n").encode())


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table that write_csv wrote; an empty one keeps its columns."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=TEXT)
