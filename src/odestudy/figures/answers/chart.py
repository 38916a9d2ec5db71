"""What a picture of the first page shows as data, which the HTML page draws again for a reader to explore."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from odestudy.analysis.values import chosen, interval
from odestudy.figures.answers.look import DARK

DIGITS = 3


@dataclass(frozen=True)
class Point:
    """One value of a series.

    Attributes:
        at: what it is of, in words, as "16 steps" or "RealNVP".
        value: its height, or the length of its bar; low, high: the ends of its interval, NaN where it has none.
        x: where it stands along a line.
        label: what is written beside it, where anything is.
    """

    at: str
    value: float
    low: float = math.nan
    high: float = math.nan
    x: float = math.nan
    label: str = ""


@dataclass(frozen=True)
class Series:
    """Points that are shown and hidden together; a line's label stands at its end."""

    name: str
    colour: str
    points: tuple[Point, ...]
    label: str = ""


@dataclass(frozen=True)
class Panel:
    """Lines, horizontal bars from zero, or bars of ratios from one on a scale of ratios.

    Attributes:
        x, y: the names of the axes; log: those of "x" and "y" whose scale is one of ratios.
        limit: a height that a line marks, with its name.
    """

    kind: Literal["lines", "bars", "ratios"]
    title: str
    series: tuple[Series, ...]
    unit: str = ""
    x: str = ""
    y: str = ""
    log: tuple[str, ...] = ()
    limit: tuple[float, str] | None = None


def points(rows: pd.DataFrame, y: str, *, x: str = "", at: str = "") -> tuple[Point, ...]:
    """The rows of a summary as points with their intervals; `at` says with {} in the place of x what each is of."""
    found = []
    for _, row in rows.iterrows():
        low, high = (float(row.get(f"{y}_{end}", math.nan)) for end in ("low", "high"))
        place = float(row[x]) if x else math.nan
        found.append(Point(at.format(chosen(float(f"{place:.3g}"))), float(row[y]), low, high, place))
    return tuple(found)


def in_colours(
    found: Sequence[Point], labels: Sequence[str], colour: Callable[[Point], str], groups: dict[str, str]
) -> tuple[Series, ...]:
    """Bars with what is written behind them, as a series a colour; `groups`: colour -> what its bars have in common."""
    labelled = [replace(p, label=label) for p, label in zip(found, labels, strict=True)]
    return tuple(
        Series(name, tone, mine)
        for tone, name in groups.items()
        if (mine := tuple(p for p in labelled if tone == colour(p)))
    )


def as_json(title: str, alt: str, panels: tuple[Panel, ...]) -> str:
    """What a script needs to draw panels: numbers as numbers, and as the text that a reader sees."""
    return json.dumps(
        {"title": title, "alt": alt, "panels": [_panel(panel) for panel in panels]}, ensure_ascii=False
    )


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "kind": panel.kind,
        "title": panel.title,
        "x": panel.x,
        "y": panel.y,
        "log": panel.log,
        "limit": panel.limit,
        "series": [
            {
                "name": series.name,
                "colours": [series.colour, DARK[series.colour]],
                "label": series.label,
                "points": [_point(point, panel.unit) for point in series.points],
            }
            for series in panel.series
        ],
    }


def _point(point: Point, unit: str) -> dict[str, Any]:
    numbers = {"value": point.value, "low": point.low, "high": point.high, "x": point.x}
    said = interval(point.value, point.low, point.high, unit, DIGITS)
    return {k: v for k, v in numbers.items() if math.isfinite(v)} | {
        "at": point.at, "said": said, "label": point.label,
    }  # fmt: skip
