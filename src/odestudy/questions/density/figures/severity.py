"""Distance from the truth, Lipschitz constant and work against the severity of a target."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis
from odestudy.figures.style import FAINT, canvas, legend_below
from odestudy.figures.words import failures, in_order, listing, number, seeds_and_bars, sentence

SHOWS = {
    "title": "What limits the target",
    "tables": ["density_models"],
}

TABLE = "density_models"
COLUMNS = ["excess_nat", "lipschitz", "nfe"]
NAMES = {"excess_nat": "NLL − entropy (nat)", "lipschitz": "Lipschitz constant", "nfe": "NFE of dopri5"}
GROWING = {"lipschitz": "Lipschitz constant", "excess_nat": "distance from the truth"}
FAMILIES = {
    "separation": ("two Gaussians", "separation (sigma)", False),
    "width": ("a thin line", "width", True),
    "freedom": ("Student's t", "degrees of freedom", True),
}
LENGTH = 1.5  # of the line, odestudy.densities.shapes.line
SIGMA = 0.25  # of both Gaussians of a pair, odestudy.densities.shapes.pair
# The least Lipschitz constant of a flow over one unit of time that matches the target, as the report derives it.
BOUNDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "separation": lambda apart: apart**2 / 16 + math.log(SIGMA) - math.log(2) / 2,
    "width": lambda width: -np.log(LENGTH * width) / 2,
}


def draw(data: FigureData) -> Figure:
    table, summary = _rows(data, TABLE), _rows(data, f"{TABLE}_summary")
    families, styles = in_order(table, "family"), data.looks(in_order(table, "model"), "model")
    figure, grid = canvas(len(COLUMNS), len(families), height=1.75, sharey="row", sharex="col")
    for row, column in zip(grid, COLUMNS, strict=True):
        for axes, family in zip(row, families, strict=True):
            for model, style in styles.items():
                runs, means = (f[(f["family"] == family) & (f["model"] == model)] for f in (table, summary))
                _series(axes, runs, means, column, style)
            if column == "lipschitz" and family in BOUNDS:
                _bound(axes, table[table["family"] == family], BOUNDS[family])
            _severity_axis(axes, table[table["family"] == family], FAMILIES[family][2])
        log_axis(row[0], "y")
        row[0].set_ylabel(NAMES[column])
    for axes, family in zip(grid[0], families, strict=True):
        axes.set_title(FAMILIES[family][0])
    for axes, family in zip(grid[-1], families, strict=True):
        axes.set_xlabel(FAMILIES[family][1])
    handles: list[Any] = [
        *line_handles(styles),
        Line2D([], [], color="0.3", marker="x", linestyle="none", label="certificate does not hold"),
        Line2D([], [], color="black", linestyle=":", linewidth=0.9, label="by theory"),
    ]
    legend_below(figure, handles)
    return figure


def _series(axes: Axes, runs: pd.DataFrame, means: pd.DataFrame, column: str, style: dict[str, Any]) -> None:
    draw_line(axes, means, "severity", column, style | {"markersize": 4})
    runs = runs[runs[column] > 0] if column in runs else runs.iloc[:0]
    held = runs["certified"].astype(str) == "True"
    for rows, marker in ((runs[held], "."), (runs[~held], "x")):
        axes.plot(
            rows["severity"], rows[column], marker, color=style["color"], alpha=FAINT, markersize=4,
            markeredgewidth=0.8 if marker == "x" else 0,
        )  # fmt: skip


def _bound(axes: Axes, rows: pd.DataFrame, bound: Callable[[np.ndarray], np.ndarray]) -> None:
    """Where it is positive, over the severities that were measured."""
    at = np.geomspace(rows["severity"].min(), rows["severity"].max(), 60)
    least = bound(at)
    axes.plot(at[least > 0], least[least > 0], color="black", linestyle=":", linewidth=0.9, zorder=0)


def _severity_axis(axes: Axes, rows: pd.DataFrame, inverted: bool) -> None:
    """Ticks where something was measured; the harder target stands at the right."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sorted(rows["severity"].unique())))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    if inverted and not axes.xaxis_inverted():
        axes.invert_xaxis()


def caption(data: FigureData) -> str:
    table, summary = _rows(data, TABLE), _rows(data, f"{TABLE}_summary")
    said = [f"the {what} {listing(_factors(summary, column))}" for column, what in GROWING.items()]
    text = sentence(
        f"from the easiest to the hardest target the flow's numbers are multiplied, {'; '.join(said)}"
    )
    bars = seeds_and_bars(data, table, summary, ["excess_nat"], band=True)
    uncertified = int((table["certified"].astype(str) != "True").sum())
    return (
        f"{text} Dotted: the least that any exact flow of the plane needs. {_below(table)} {bars} Faint: single seeds; crosses: the {uncertified} of {len(table)} densities whose certificate does "
        f"not hold. {failures(data, table, ['target', 'model'], 'left out')}"
    )


def _below(table: pd.DataFrame) -> str:
    """How many trained flows have less than an exact one needs, where that is more than nothing."""
    known = table[table["family"].isin(list(BOUNDS))].dropna(subset=["lipschitz"])
    needed = [
        float(BOUNDS[family](np.array([severity]))[0])
        for family, severity in zip(known["family"], known["severity"], strict=True)
    ]
    held = [(has, least) for has, least in zip(known["lipschitz"], needed, strict=True) if least > 0]
    less = sum(has < least for has, least in held)
    why = ", and so are not exact" if less else ""
    return f"Of the {len(held)} flows that it concerns {less} have less{why}."


def _factors(summary: pd.DataFrame, column: str) -> list[str]:
    """By how much a column of the flow grows from the easiest to the hardest target of each family."""
    flow = summary[summary["model"] == "cnf"].dropna(subset=[column])
    said = []
    for family in in_order(flow, "family"):
        rows = flow[flow["family"] == family].sort_values("severity", ascending=not FAMILIES[family][2])
        factor = float(rows[column].iloc[-1] / rows[column].iloc[0])
        said.append(f"by {number(factor)} for {FAMILIES[family][0]}")
    return said


def alt(data: FigureData) -> str:
    return (
        "A grid of plots, a column for each kind of trouble, which grows to the right: above the distance from the "
        "truth, below it the Lipschitz constant along the paths, and the evaluations of an adaptive solver."
    )


def _rows(data: FigureData, name: str) -> pd.DataFrame:
    """The rows of targets that belong to a family, with family and severity."""
    table = data.table(TABLE)
    if table.empty or "family" not in table:
        raise NothingToShow("no family of targets was fitted")
    about = (
        table.dropna(subset=["family"]).drop_duplicates("target").set_index("target")[["family", "severity"]]
    )
    rows = (
        data.table(name)
        .drop(columns=["family", "severity"], errors="ignore")
        .join(about, on="target", how="inner")
    )
    many = rows.groupby("family")["target"].transform("nunique") > 1
    if not many.any():
        raise NothingToShow("no family of targets was fitted at more than one point")
    return rows[many]
