"""How far models stay from a known density, and what makes one hard."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odestudy.analysis.facts import Facts
from odestudy.analysis.values import number
from odestudy.figures.answers.look import OTHER, OWN, bars, canvas, message
from odestudy.figures.base import NothingToShow

OTHERS = ("RealNVP", "Gaussian mixture", "kernel estimate")
TABLES = ("density_models_summary", "density_time_summary")  # mixtures stand in the second alone
TARGETS = {
    "pair12": "two Gaussians, 12 widths apart",
    "student": "Student's t, 3 degrees",
    "line1": "a line of width 0.01",
    "mixture8": "8 dimensions",
    "mixture64": "64 dimensions",
    "checkerboard": "checkerboard",
}


def draw(f: Facts) -> tuple[Figure, str]:
    """A bar a model, and a bar a target, the nearest first."""
    own = f("C22a")
    if not own.known:
        raise NothingToShow("no flow was trained on the checkerboard at this tier")
    figure, (upper, lower) = canvas(2, height=4.6, height_ratios=[4, 6])
    models = _sorted({"continuous flow": own.value} | {name: own.beside[name] for name in OTHERS})
    place = list(models).index("continuous flow")
    nearer = f"{place} of {len(models) - 1} other models come" if place else "no other model comes"
    said = [_panel(upper, "distance from a checkerboard", models, "continuous flow")]
    flow = _of_the_flow(f)
    errors = {
        name: float(flow.loc[flow["target"] == target, "excess_nat"].mean())
        for target, name in TARGETS.items()
    }
    targets = _sorted(errors)
    if targets:
        said.append(_panel(lower, "distance of the flow, by target", targets, ""))
    else:
        lower.set_axis_off()
    hardest = list(targets)[-1].replace("\n", " ") if targets else ""
    message(
        figure,
        f"{nearer[0].upper()}{nearer[1:]} nearer than the flow{f'; hardest: {hardest}' if hardest else ''}",
    )
    return figure, " ".join(said)


def _of_the_flow(f: Facts) -> pd.DataFrame:
    """One row a target; where both tables have it that of the first."""
    tables = [rows for rows in map(f.table, TABLES) if len(rows)]
    if not tables:
        return pd.DataFrame(columns=["target", "excess_nat"])
    rows = pd.concat(tables, ignore_index=True)
    return rows[rows["model"] == "cnf"].drop_duplicates("target")


def _sorted(found: dict[str, float]) -> dict[str, float]:
    return {name: x for name, x in sorted(found.items(), key=lambda item: item[1]) if math.isfinite(x)}


def _panel(axes: Axes, title: str, values: dict[str, float], own: str) -> str:
    labels = [f"{number(x, 2)} nat" for x in values.values()]
    bars(
        axes,
        list(values),
        list(values.values()),
        labels,
        [OWN if own in (name, "") else OTHER for name in values],
    )
    axes.set_title(title, loc="left")
    said = ", ".join(f"{name} {label}" for name, label in zip(values, labels, strict=True)).replace("\n", " ")
    return f"{title[0].upper()}{title[1:]}: {said}."
