"""Numbers and lists as a caption says them: all from tables, none typed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from odestudy.analysis.selecting import is_ok
from odestudy.analysis.values import ten_to
from odestudy.figures.base import FigureData


def number(value: float, digits: int = 2) -> str:
    """A number with so many significant digits: 0.031, 4.7, 120, 3.1·10⁻⁶."""
    if not math.isfinite(value):
        return "not finite"
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    exponent = math.floor(math.log10(abs(rounded)))
    if -4 <= exponent < max(digits, 4):
        return f"{rounded:.{max(digits - 1 - exponent, 0)}f}".replace("-", "−")
    mantissa = f"{rounded / 10.0**exponent:.{digits - 1}f}".replace("-", "−")
    return f"{mantissa}·{ten_to(exponent)}"


def quantity(data: FigureData, column: str, value: float, digits: int = 2) -> str:
    """A number with the unit of its column."""
    unit = data.columns.get(column, {}).get("unit")
    return f"{number(value, digits)} {unit}" if unit else number(value, digits)


def from_to(data: FigureData, column: str, first: float, last: float, digits: int = 2) -> str:
    """The first and the last value of a column, with the unit once."""
    return f"{number(first, digits)} to {quantity(data, column, last, digits)}"


def estimate(data: FigureData, row: Any, column: str, digits: int = 2) -> str:
    """What a row of a summary says of a column: mean and, where there is one, its interval."""
    if pd.isna(row[column]):
        return "no value"
    text = quantity(data, column, row[column], digits)
    low, high = row.get(f"{column}_low"), row.get(f"{column}_high")
    if pd.isna(low) or pd.isna(high):
        return text
    return f"{text} [{number(low, digits)}, {number(high, digits)}]"


def listing(parts: Iterable[str]) -> str:
    """a; a and b; a, b and c; with semicolons where a part has a comma of its own."""
    parts = list(parts)
    if any(", " in part for part in parts):
        return "; ".join(parts)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def counted(count: int, noun: str) -> str:
    plural = "es" if noun.endswith(("tch", "s", "x")) else "s"
    return f"{count} {noun}" + ("" if count == 1 else plural)


def seeds_behind(table: pd.DataFrame, summary: pd.DataFrame) -> tuple[int, int]:
    """The least and the largest number of seeds behind a mean; a mean of one seed, where others have more, is no mean.

    Experiments of one table may have seeds of their own, so that their union is more than any mean is made of.
    """
    most = int(table["seed"].nunique())
    runs = summary["runs"].dropna() if "runs" in summary else pd.Series(dtype=int)
    of = [min(int(n), most) for n in runs if n > 1] or [most]
    return min(of), max(of)


def span(data: FigureData, summary: pd.DataFrame, column: str, axis: str) -> str:
    """From the smallest to the largest value in a column, each with the entry it belongs to."""
    known = summary.dropna(subset=[column])
    if known.empty:
        return "no value"
    known = known.sort_values(column, kind="stable")
    ends = [known.iloc[0], known.iloc[-1]]
    said = [f"{quantity(data, column, end[column])} ({data.label(end[axis], axis)})" for end in ends]
    return said[0] if len(known) == 1 else " to ".join(said)


def sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def seeds_and_bars(
    data: FigureData, table: pd.DataFrame, summary: pd.DataFrame, columns: list[str], *, band: bool = False,
    points: bool = True,
) -> str:  # fmt: skip
    """How many seeds there are, and what markers and bars mean, and points where single seeds are drawn."""
    least, seeds = seeds_behind(table, summary)
    if seeds == 1:
        return "One seed, hence no interval."
    over = f"{seeds} seeds" if least == seeds else f"{least} to {seeds} seeds"
    scales = {data.columns.get(column, {}).get("scale", "linear") for column in columns}
    mean = (
        "geometric mean" if scales == {"log"} else "mean" if "log" not in scales else "mean or geometric mean"
    )
    if summary[[f"{column}_low" for column in columns]].notna().any(axis=None):
        what = ("lines", "bands") if band else ("large markers" if points else "markers", "bars")
        small = "" if band or not points else "; small points: single seeds"
        return f"{what[0].capitalize()}: {mean} over {over}; {what[1]}: 95 % interval{small}."
    small = "; thin lines: single seeds" if band else "; small points: single seeds" if points else ""
    return f"{mean[0].upper()}{mean[1:]} over {over}, too few for an interval{small}."


def failures(data: FigureData, table: pd.DataFrame, axes: list[str], how: str = "crosses at the edge") -> str:
    """Which runs failed and how they are shown; nothing where none did."""
    failed = table[~is_ok(table)]
    if failed.empty:
        return ""
    groups = [
        f"{', '.join(data.label(str(part), axis) for axis, part in zip(axes, name, strict=False))}: "
        + str(name[-1]).replace("_", " ")
        + (f" ({len(rows)})" if len(rows) > 1 else "")
        for name, rows in failed.groupby([*axes, "status"], sort=False)
    ]
    shown = groups if len(groups) <= 3 else [*groups[:3], f"{len(groups) - 3} more"]
    return f"{len(failed)} of {counted(len(table), 'run')} failed ({how}): {'; '.join(shown)}."


def in_order(table: pd.DataFrame, column: str) -> list[Any]:
    """The different values of a column, in the order of the table, which is the order of configuration."""
    return list(dict.fromkeys(table[column]))
