"""Numbers out of cells: decimal points or commas, and refusals of dates, thousands, missing values and words."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from odestudy.errors import DataError
from odestudy.text import one_line
from odestudy.userdata.rows import SEPARATORS, Rows, at_lines

LARGEST = 1e100  # of a value, so that squares are finite
MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "?"}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
WITH_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?", re.ASCII)
THOUSANDS = re.compile(r"[+-]?\d{1,3}([.,' ]\d{3})+([.,]\d+)?", re.ASCII)
DATE = re.compile(
    r"\d{1,4}[-/.](\d{1,2}|[A-Za-z]{3,9})[-/.]\d{1,4}([T ].*)?|.*\d{1,2}:\d{2}(:\d{2}.*)?.*", re.ASCII
)
TO_SECONDS = (
    "convert them, with pandas: t = pandas.to_datetime(table.t); table.t = (t - t.min()).dt.total_seconds(); "
    "in a spreadsheet: subtract the first, times 86400"
)


def to_numbers(rows: Rows, columns: Sequence[int]) -> tuple[np.ndarray, bool]:
    """Values (n, len(columns)) of some columns, float64, and whether commas were decimal.

    Raises:
        DataError: a cell is no finite number; its lines and its column are named.
    """
    cells = {k: [row[k] for row in rows.cells] for k in columns}
    commas = _decimal_commas(rows, cells)
    values = np.empty((len(rows.cells), len(columns)))
    for i, (k, column) in enumerate(cells.items()):
        texts = [cell.replace(",", ".") for cell in column] if commas else column
        good = np.array([NUMBER.fullmatch(text) is not None for text in texts], dtype=bool)
        if not good.all():
            raise DataError(_no_number(rows, k, np.flatnonzero(~good)))
        values[:, i] = [float(text) for text in texts]
        beyond = np.flatnonzero(~(np.abs(values[:, i]) <= LARGEST))
        if len(beyond):
            where = at_lines([rows.lines[j] for j in beyond])
            raise DataError(
                f"{rows.path}: {where}: {one_line(rows.header[k], 60)} is beyond {LARGEST:g}; choose another unit"
            )
    return values, commas


def _decimal_commas(rows: Rows, cells: dict[int, list[str]]) -> bool:
    """Whether numbers are written with decimal commas; refused where that cannot be told from thousands."""
    found: dict[bool, tuple[int, int]] = {}
    for k, column in cells.items():
        for j, cell in enumerate(column):
            if WITH_COMMA.fullmatch(cell):
                found.setdefault(True, (k, j))
            elif "." in cell and NUMBER.fullmatch(cell):
                found.setdefault(False, (k, j))
    if True not in found:
        return False
    k, j = found[True]
    said = f"{rows.path}: line {rows.lines[j]}: {one_line(rows.header[k], 60)} is {rows.cells[j][k]!r}"
    if rows.separator == ",":
        raise DataError(
            f"{said}, with a comma inside; write decimal points and no thousands separators, or separate the columns by semicolons"
        )
    if False in found:
        other, row = found[False]
        raise DataError(
            f"{said} and line {rows.lines[row]} has {rows.cells[row][other]!r}: decimal commas and points in one file "
            f"(separated by {SEPARATORS[rows.separator]}s); write points throughout"
        )
    return True


def _no_number(rows: Rows, k: int, bad: np.ndarray) -> str:
    """Why the first of the bad cells of a column, and others like it, are no numbers."""
    first = rows.cells[bad[0]][k]
    kind = _kind(first)
    alike = [rows.lines[j] for j in bad if _kind(rows.cells[j][k]) == kind]
    name = one_line(rows.header[k], 60)
    said = {
        "missing": f"{name} is missing; leave out rows that lack a value",
        "date": f"{name} is {one_line(first, 40)!r}, a date or a clock time where a number is needed; {TO_SECONDS}",
        "thousands": f"{name} is {one_line(first, 40)!r}; write numbers without thousands separators",
        "word": f"{name} is {one_line(first, 40)!r}, which is no finite number; mend it, or choose other columns with --columns",
    }
    return f"{rows.path}: {at_lines(alike)}: {said[kind]}"


def _kind(cell: str) -> str:
    if cell.casefold() in MISSING:
        return "missing"
    if DATE.fullmatch(cell):
        return "date"
    return "thousands" if THOUSANDS.fullmatch(cell) else "word"
