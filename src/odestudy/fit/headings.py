"""Headings of what a fit writes: the file's own for its columns, and of slopes, spreads and ranges made from them."""

from __future__ import annotations

from collections.abc import Sequence

from odestudy.userdata.columns import Column, unlike

OTHERS = ("trajectory", "supported", "beyond")


def slopes(columns: Sequence[Column], time: Column) -> list[tuple[str, str]]:
    """Of each column's slope and its spread: dy1 and dy1_spread, or d(x)/dt where a column is called dx."""
    units = [time.unit or (time.name if column.unit else "") for column in columns]
    for form in ("d{}", "d({})/dt"):
        found = [
            tuple(column.derived(form.format(column.name) + end, per) for end in ("", "_spread"))
            for column, per in zip(columns, units, strict=True)
        ]
        if unlike([*OTHERS, *(c.header for c in columns), *(name for pair in found for name in pair)]):
            break
    return [(slope, spread) for slope, spread in found]


def ranges(columns: Sequence[Column]) -> list[tuple[str, str]]:
    """Of the lowest and the highest of the models, for each column."""
    return [
        (column.derived(f"{column.name}_low"), column.derived(f"{column.name}_high")) for column in columns
    ]


def collide(columns: Sequence[Column], time: Column) -> bool:
    """Whether two columns of a table that a fit writes would be called the same."""
    own = [*OTHERS, time.header, *(column.header for column in columns)]
    made = (slopes(columns, time), ranges(columns))
    return not all(unlike([*own, *(name for pair in pairs for name in pair)]) for pairs in made)
