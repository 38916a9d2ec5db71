"""Logarithmic axes whose ticks are few, plain numbers, however narrow or wide the range."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import (
    FixedLocator,
    Formatter,
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)  # fmt: skip


class PlainOrPowers(Formatter):
    """Plain numbers where all ticks in view are short ones, else powers of ten for all: never both on one axis."""

    def __call__(self, value: float, pos: int | None = None) -> str:
        return f"{value:g}" if 1e-4 <= abs(value) < 1e5 else _power(value, pos)

    def format_ticks(self, values: Any) -> list[str]:
        assert self.axis is not None, "a formatter is asked by its axis"
        low, high = sorted(self.axis.get_view_interval())
        short = all(1e-4 <= abs(v) < 1e5 for v in values if low <= v <= high)
        return [f"{v:g}" if short else _power(v, None) for v in values]


def log_axis(axes: Axes, which: str) -> None:
    """Make one axis ("x" or "y") logarithmic; call it after the data are drawn."""
    getattr(axes, f"set_{which}scale")("log")
    low, high = getattr(axes, f"get_{which}lim")()
    axis = getattr(axes, f"{which}axis")
    decades = math.log10(high / low)
    if decades > 2.2:
        axis.set_major_locator(LogLocator(subs=(1.0,), numticks=7))
        axis.set_major_formatter(FuncFormatter(_power) if decades > 5 else PlainOrPowers())
    else:
        narrow = decades < 0.7
        axis.set_major_locator(MaxNLocator(4) if narrow else LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
        axis.set_major_formatter(PlainOrPowers())
    axis.set_minor_formatter(NullFormatter())


def ticks_at(axes: Axes, values: Any) -> None:
    """Ticks of a logarithmic x axis at the values measured, and nowhere else."""
    axes.xaxis.set_major_locator(FixedLocator(sorted(values)))
    axes.xaxis.set_major_formatter(PlainOrPowers())
    axes.xaxis.set_minor_locator(NullLocator())


def _power(value: float, _: Any) -> str:
    if value <= 0:
        return ""
    exponent = math.floor(math.log10(value) + 1e-9)
    mantissa = value / 10.0**exponent
    factor = "" if abs(mantissa - 1) < 1e-6 else rf"{mantissa:.3g}\cdot"
    return f"${factor}10^{{{exponent}}}$"
