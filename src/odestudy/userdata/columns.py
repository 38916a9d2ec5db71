"""Columns of a user's file: their names, units, and which of them are taken."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from odestudy.errors import DataError
from odestudy.text import one_line
from odestudy.userdata.rows import Rows, listed

WITH_UNIT = re.compile(r"(?P<name>.*\S)\s*(\[(?P<square>[^\]]*)\]|\((?P<round>[^)]*)\))")


@dataclass(frozen=True)
class Column:
    """A column by its place in the file, its header, and that taken apart into name and unit."""

    place: int
    header: str
    name: str
    unit: str

    def derived(self, name: str, per: str = "") -> str:
        """A heading for what is derived from the column, in its unit or in its unit per another."""
        unit = "/".join(part for part in (self.unit or ("1" if per else ""), per) if part)
        return f"{name} [{unit}]" if self.unit or per else name


def columns_of(header: Sequence[str]) -> list[Column]:
    """`height [m]` and `height (m)` are called height; where two would be called alike both keep their units."""
    parts = [WITH_UNIT.fullmatch(text) for text in header]
    short = [part["name"] if part else text for part, text in zip(parts, header, strict=True)]
    found = []
    for place, (text, part) in enumerate(zip(header, parts, strict=True)):
        if part and short.count(part["name"]) == 1:
            unit = part["square"] if part["square"] is not None else part["round"]
            found.append(Column(place, text, part["name"], unit.strip()))
        else:
            found.append(Column(place, text, text, ""))
    return found


def take_column(columns: list[Column], *names: str) -> Column | None:
    """The column of one of these names, capitals or not; it is taken off the list."""
    for column in columns:
        if column.name.casefold() in names:
            columns.remove(column)
            return column
    return None


def choose(rows: Rows, columns: list[Column], wanted: str | None) -> list[Column]:
    """The columns that `wanted` lists, separated by commas; all of them, in the order of their names, otherwise.

    Raises:
        DataError: a name is unknown or listed twice.
    """
    if wanted is None:
        return sorted(columns, key=lambda column: natural(column.name))
    names = [name.strip() for name in next(csv.reader([wanted], skipinitialspace=True), [])]
    chosen = []
    for name in names:
        fitting = [c for c in columns if name in (c.header, c.name)]
        if not fitting or fitting[0] in chosen:
            problem = "is listed twice" if fitting else "is no column of values"
            known = one_line(listed([c.header for c in columns]), 200)
            raise DataError(
                f"{rows.path}: --columns: {one_line(name, 60)!r} {problem}; the columns are: {known}"
            )
        chosen.append(fitting[0])
    if not chosen:
        raise DataError(f"{rows.path}: --columns: no column is named")
    return chosen


def natural(text: str) -> list[tuple[int, int, str]]:
    """A key that sorts x2 before x10."""
    parts = re.split(r"([0-9]+)", text)
    return [(0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part) for part in parts]


def unlike(names: Iterable[str]) -> bool:
    """Whether no two of them are the same."""
    names = list(names)
    return len(set(names)) == len(names)
