"""How far models stay from a known density, and what makes one hard."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odestudy.analysis.facts import Facts
from odestudy.analysis.values import number
from odestudy.figures.answers.chart import Panel, Point, in_colours, points
from odestudy.figures.answers.look import OTHER, OWN, bars, canvas, message
from odestudy.figures.base import NothingToShow

FLOW = "continuous flow"
OTHERS = ("RealNVP", "Gaussian mixture", "kernel estimate")
LINE = "\n"  # after it the length of the training
TABLES = ("density_models_summary", "density_time_summary")  # mixtures stand in the second alone
TARGETS = {
    "pair12": "two Gaussians, 12 widths apart",
    "student": "Student's t, 3 degrees",
    "line1": "a line of width 0.01",
    "mixture8": "8 dimensions",
    "mixture64": "64 dimensions",
}


def draw(f: Facts) -> tuple[Figure, str, tuple[Panel, ...]]:
    """A bar a model, and a bar a target, the nearest first."""
    own = f("C22a")
    if not own.known:
        raise NothingToShow("no flow was trained on the checkerboard at this tier")
    figure, (upper, lower) = canvas(2, height=5.2, height_ratios=[4, 8])
    same = points(f.rows(TABLES[1], target="checkerboard", model="cnf"), "excess_nat", at=FLOW)
    others = [Point(name, own.beside[name], *f.around("C22a", name)) for name in OTHERS]
    # The others had the time of a shorter training than the one that the row judges.
    as_long = bool(same) and any(math.isfinite(other.low) for other in others)
    models = _sorted([same[0] if as_long else Point(FLOW, own.value, own.low, own.high), *others])
    time = ", in equal time" if as_long else ""
    title = f"distance from a checkerboard{time}"
    panels = [_panel(upper, title, models, FLOW)]
    flow = _of_the_flow(f)
    targets = _sorted(
        [
            replace(p, at=f"{name}{LINE}({_steps(rows)})")
            for target, name in TARGETS.items()
            if len(rows := flow[flow["target"] == target])
            for p in points(rows, "excess_nat")
        ]
    )
    if targets:
        panels.append(_panel(lower, "distance of the flow, by target", targets, ""))
    else:
        lower.set_axis_off()
    hardest = f"; hardest target: {targets[-1].at.partition(LINE)[0]}" if targets else ""
    message(figure, f"Nearest to a checkerboard{time}: {models[0].at}{hardest}")
    return figure, " ".join(said for _, said in panels), tuple(panel for panel, _ in panels)


def _steps(rows: pd.DataFrame) -> str:
    """How long a target's flow was trained, as the lengths differ."""
    return f"{rows['iterations'].iloc[0]:,.0f} training steps" if "iterations" in rows else "length not known"


def _of_the_flow(f: Facts) -> pd.DataFrame:
    """One row a target; where both tables have it that of the first."""
    tables = [rows for rows in map(f.table, TABLES) if len(rows)]
    if not tables:
        return pd.DataFrame(columns=["target", "excess_nat"])
    rows = pd.concat(tables, ignore_index=True)
    return rows[rows["model"] == "cnf"].drop_duplicates("target")


def _sorted(found: list[Point]) -> list[Point]:
    return sorted((p for p in found if math.isfinite(p.value)), key=lambda p: p.value)


def _panel(axes: Axes, title: str, found: list[Point], own: str) -> tuple[Panel, str]:
    """Bars, and what they say in words."""

    def colour(name: str) -> str:
        return OWN if own in (name, "") else OTHER

    names, labels = [p.at for p in found], [f"{number(p.value, 2)} nat" for p in found]
    bars(axes, names, [p.value for p in found], labels, list(map(colour, names)))
    panel = Panel(
        "bars",
        title,
        in_colours(found, labels, lambda p: colour(p.at), {OWN: FLOW, OTHER: "other models"}),
        "nat",
    )
    axes.set_title(panel.title, loc="left")
    said = ", ".join(f"{name} {label}".replace(LINE, " ") for name, label in zip(names, labels, strict=True))
    return panel, f"{title[0].upper()}{title[1:]}: {said}."
