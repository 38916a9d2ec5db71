"""Numbers as prose needs them: looked up in tables, rounded for people, never typed."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from odestudy.analysis.selecting import select

MISSING = "n/a"


def number(value: Any, digits: int = 3) -> str:
    """A number with `digits` significant digits, in plain notation where that is readable.

    Missing values give "n/a".
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, bool | str):
        return str(value)
    x = float(value)
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if x == 0:
        return "0"
    if x == int(x) and abs(x) < 1e7:
        return f"{int(x):,}".replace("-", "−")
    power = _power(x)
    if _is_plain(x):
        return f"{x:,.{max(0, digits - 1 - power)}f}".replace("-", "−")
    mantissa = f"{x / 10**power:.{digits - 1}f}".replace("-", "−")
    return f"{mantissa}·{ten_to(power)}"


def chosen(value: float) -> str:
    """A number that was chosen and not measured, with the digits that it was given: 0.67, 10⁻⁶, 2.5·10⁻⁹."""
    if not math.isfinite(value) or _is_plain(value):
        return f"{value:g}".replace("-", "−")
    power = _power(value)
    mantissa = f"{value / 10**power:g}".replace("-", "−")
    return ten_to(power) if mantissa == "1" else f"{mantissa}·{ten_to(power)}"


def ten_to(power: int) -> str:
    """A power of ten: 10⁻⁶."""
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _power(x: float) -> int:
    return math.floor(math.log10(abs(x)))


def _is_plain(x: float) -> bool:
    """Whether plain notation is readable."""
    return x == 0 or -4 <= _power(x) < 6


def interval(
    value: Any, low: Any, high: Any, unit: str = "", digits: int = 3, *, ends: str = "interval"
) -> str:
    """`value [low, high] unit`; a range as `value, from low to high unit`; without either only the value.

    All have the same decimals, enough to differ.
    """
    text = number(value, digits)
    if text == MISSING:
        return text
    if not (pd.isna(low) or pd.isna(high)) and (low != value or high != value):
        said = _alike([float(value), float(low), float(high)], digits)
        both = (
            f"{said[0]}, from {said[1]} to {said[2]}"
            if ends == "range"
            else f"{said[0]} [{said[1]}, {said[2]}]"
        )
        text = both if len(set(said)) > 1 else text
    return f"{text} {unit}".strip() if unit not in ("", "1") else text


def _alike(numbers: list[float], digits: int) -> list[str]:
    value, low, high = numbers
    width = high - low
    whole = all(math.isfinite(x) and x == int(x) for x in numbers)
    decades = low > 0 and high > 10 * low
    if whole or decades or not math.isfinite(width) or width <= 0 or not all(map(_is_plain, numbers)):
        return [number(x, digits) for x in numbers]
    largest = max(abs(x) for x in numbers)
    # Two digits of half the width, at most six of the largest number, and no fewer than `digits` of the value.
    decimals = min(1 - _power(width / 2), 5 - _power(largest))
    decimals = max(0, decimals, min(digits - 1 - _power(value), 4) if value else 0)
    return [f"{x:,.{decimals}f}".replace("-", "−") for x in numbers]


def lookup(summary: pd.DataFrame, column: str, where: dict[str, Any], unit: str = "", digits: int = 3) -> str:
    """One cell of a summary with its interval; "n/a" where the row is not there."""
    rows = select(summary, where)
    if rows.empty or column not in rows:
        return MISSING
    row = rows.iloc[0]
    return interval(row[column], row.get(f"{column}_low"), row.get(f"{column}_high"), unit, digits)
