"""Points out of a user's file, refused where a density could not be fitted to them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from odestudy.errors import DataError
from odestudy.text import one_line
from odestudy.userdata.checks import (
    DEPENDENT,
    FAR,
    FAR_SHARE,
    NEARLY,
    SMALLEST,
    constant,
    dependence,
    repeated_rows,
    robust_distance,
)
from odestudy.userdata.columns import Column, choose, columns_of
from odestudy.userdata.numbers import to_numbers
from odestudy.userdata.rows import Rows, at_lines, listed, read_rows

MOST_DIMENSIONS = 64
FEWEST_ROWS, ROWS_A_DIMENSION = 100, 20
RESERVED = ("log_density_nat", "density", "part")  # columns that results add
FEW_VALUES, REPEATED = 10, 0.1  # distinct values of a column; share of the rows


@dataclass(frozen=True)
class Points:
    """Points of a file.

    Attributes:
        every: all rows (m, d), float64; kept: (m,) which of them are fitted.
        notes: what was found and done on reading, a sentence each.
    """

    every: np.ndarray
    kept: np.ndarray
    columns: list[Column]
    notes: list[str]

    @property
    def values(self) -> np.ndarray:
        """The rows that are fitted, (n, d)."""
        return self.every[self.kept]


def read_points(path: Path, wanted: str | None = None) -> Points:
    """Read and check one file; `wanted` lists the columns, all of them otherwise.

    Raises:
        DataError: one line that says what is wrong, on which line of the file or in which column, and how to mend it.
    """
    rows = read_rows(path)
    columns = choose(rows, columns_of(rows.header), wanted)
    if len(columns) > MOST_DIMENSIONS:
        raise DataError(
            f"{path}: {len(columns)} columns; allowed: at most {MOST_DIMENSIONS}; choose them with --columns"
        )
    taken = [column.header for column in columns if column.header in RESERVED]
    if taken:
        raise DataError(f"{path}: results have a column {taken[0]} of their own; rename that of the file")
    values, commas = to_numbers(rows, [column.place for column in columns])
    notes = rows.notes(commas)
    _enough(path, len(values), len(columns))
    headers = [one_line(column.header, 60) for column in columns]
    still = constant(values)
    if still.any():
        named = listed([header for header, s in zip(headers, still, strict=True) if s])
        raise DataError(f"{path}: constant column {named}, which has no density; leave it out with --columns")
    for header, size in zip(headers, np.ptp(values, axis=0), strict=True):
        if size < SMALLEST:
            raise DataError(f"{path}: {header} varies by {size:g} only; choose another unit")
    kept = _near(rows, values, headers, notes)
    every, values = values, values[kept]
    _enough(path, len(np.unique(values, axis=0)), len(columns), "distinct ")
    _refuse_discrete(path, values, headers, notes)
    _refuse_dependent(path, values, [column.name for column in columns], notes)
    lines = np.array(rows.lines)[kept]
    repeats = repeated_rows(values)
    if repeats:
        count = sum(len(group) for group in repeats)
        where = at_lines(sorted(lines[repeats[0]].tolist()))
        notes.append(
            f"{count} of {len(values)} rows are not unique ({where} are alike): equal rows stay on one side of the split"
        )
    return Points(every, kept, columns, notes)


def _enough(path: Path, n: int, d: int, which: str = "") -> None:
    fewest = max(FEWEST_ROWS, ROWS_A_DIMENSION * d)
    if n < fewest:
        raise DataError(
            f"{path}: {n} {which}rows; a density in {d} dimension{'s' if d > 1 else ''} wants at least {fewest}"
        )


def _near(rows: Rows, values: np.ndarray, headers: list[str], notes: list[str]) -> np.ndarray:
    """Which rows are not far from all others; a note names those that are."""
    distance = robust_distance(values)
    far = np.any(distance > FAR, axis=1)
    lines = [rows.lines[j] for j in np.flatnonzero(far)]
    if len(lines) > max(1, FAR_SHARE * len(far)):
        name = headers[int(np.argmax((distance > FAR).sum(axis=0)))]
        notes.append(
            f"{at_lines(lines)}: {name} lies more than {FAR:g} robust standard deviations from its median: a flow does "
            "badly on tails as heavy or clusters as unequal; take logarithms, or fit parts by themselves"
        )
        return np.ones(len(far), dtype=bool)
    for j in np.flatnonzero(far):
        i = int(np.argmax(distance[j]))
        size = f"{distance[j, i]:.0f} robust standard deviations"
        notes.append(
            f"line {rows.lines[j]}: left out: {headers[i]} is {values[j, i]:g}, {size} from the median"
        )
    return ~far


def _refuse_discrete(path: Path, values: np.ndarray, headers: list[str], notes: list[str]) -> None:
    """Refuse columns of few values; a note names those that repeat one value often."""
    for header, column in zip(headers, values.T, strict=True):
        found, counts = np.unique(column, return_counts=True)
        most = found[np.argmax(counts)]
        if len(found) < FEW_VALUES or counts.max() > len(column) / 2:
            raise DataError(
                f"{path}: {header} has {len(found)} distinct values, {most:g} in {counts.max()} of {len(column)} rows, "
                "and so no density; leave it out with --columns"
            )
        if counts.max() > REPEATED * len(column) or len(found) < REPEATED * len(column):
            notes.append(
                f"{header} has {len(found)} distinct values, {most:g} in {counts.max()} of {len(column)} rows: a likelihood of rounded values is flattered"
            )


def _refuse_dependent(path: Path, values: np.ndarray, names: list[str], notes: list[str]) -> None:
    share, relation = dependence(values, names)
    if share < DEPENDENT:
        raise DataError(
            f"{path}: {one_line(relation)}, up to a constant and rounding, which has no density in {len(names)} dimensions; leave out one of "
            "them with --columns"
        )
    if share < NEARLY:
        notes.append(
            f"{one_line(relation)}, up to a constant and {100 * share:.2g} % of its spread: the points nearly lie in a plane"
        )
