"""Numbers as prose needs them: looked up in tables, rounded for people, never typed."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from odestudy.present.selecting import select

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
    if x == int(x) and abs(x) < 1e7 and abs(x) >= 10 ** (digits - 1):
        return f"{int(x):,}".replace("-", "−")
    power = math.floor(math.log10(abs(x)))
    if -4 <= power < 6:
        return f"{x:,.{max(0, digits - 1 - power)}f}".replace("-", "−")
    mantissa = f"{x / 10**power:.{digits - 1}f}".replace("-", "−")
    superscript = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}·10{superscript}"


def interval(value: Any, low: Any, high: Any, unit: str = "", digits: int = 3) -> str:
    """`value [low, high] unit`; without an interval only the value."""
    text = number(value, digits)
    if text == MISSING:
        return text
    known = not (pd.isna(low) or pd.isna(high))
    if known and (low != value or high != value):
        text += f" [{number(low, digits)}, {number(high, digits)}]"
    return f"{text} {unit}".strip() if unit not in ("", "1") else text


def lookup(summary: pd.DataFrame, column: str, where: dict[str, Any], unit: str = "", digits: int = 3) -> str:
    """One cell of a summary with its interval; "n/a" where the row is not there."""
    rows = select(summary, where)
    if rows.empty or column not in rows:
        return MISSING
    row = rows.iloc[0]
    return interval(row[column], row.get(f"{column}_low"), row.get(f"{column}_high"), unit, digits)
