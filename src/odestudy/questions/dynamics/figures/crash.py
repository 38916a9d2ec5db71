"""Where one gradient begins to underflow, measured beside what theory predicts, a row for each way to the gradient and a panel for each system."""

from __future__ import annotations

from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.style import BLUE, GREY, ORANGE, canvas, legend_below
from odestudy.figures.words import in_order, listing, number, sentence

SHOWS = {
    "title": "From where on a gradient underflows, predicted and measured",
    "tables": ["dynamics_crash_thresholds"],
}
TABLE = "dynamics_crash_thresholds"
ROW = ["library", "gradient", "loss"]
COLOURS = {"float32": BLUE, "float64": ORANGE}
SHIFT = {"float32": -0.14, "float64": 0.14}


def draw(data: FigureData) -> Figure:
    table = _table(data)
    rows = list(table[ROW].drop_duplicates().itertuples(index=False, name=None))
    problems = in_order(table, "problem")
    figure, grid = canvas(1, len(problems), height=1.2 + 0.3 * len(rows), sharex=True, sharey=True)
    for axes, problem in zip(grid[0], problems, strict=True):
        for _, run in table[table["problem"] == problem].iterrows():
            y = rows.index(tuple(run[name] for name in ROW)) + SHIFT[run["precision"]]
            _threshold(axes, run, y, COLOURS[run["precision"]])
        axes.set_title(data.label(problem, "problem"), fontsize=8.5)
        axes.set_xlabel("eigenvalue times horizon")
    figure.set_layout_engine("constrained", w_pad=0.25)  # long names are wider than it reckons
    names = [
        fill(f"{_way(data, library, gradient)}, {data.label(loss, 'loss')}", 34)
        for library, gradient, loss in rows
    ]
    grid[0, 0].set_yticks(range(len(rows)), names, fontsize=7)
    grid[0, 0].set_ylim(len(rows) - 0.5, -0.5)
    grid[0, 0].set_xlim(0, 1.12 * float(table["tried_to"].max()))
    legend_below(figure, _handles(data, table), 4)
    return figure


def _threshold(axes: Axes, run: pd.Series, y: float, colour: str) -> None:
    if pd.isna(run.get("underflow_at")):
        axes.plot(run["tried_to"], y, ">", color=colour, markersize=5, alpha=0.8)
        return
    low, high = run.get("underflow_at_low", np.nan), run.get("underflow_at_high", np.nan)
    if not pd.isna(low) and not pd.isna(high):
        axes.plot([low, high], [y, y], "-", color=colour, linewidth=1.2)
    axes.plot(run["underflow_at"], y, "o", color=colour, markersize=5)
    if not pd.isna(run.get("predicted_at")):
        axes.plot(run["predicted_at"], y, "|", color="black", markersize=10, markeredgewidth=1.4)


def _handles(data: FigureData, table: pd.DataFrame) -> list[Line2D]:
    shown = [
        Line2D([], [], color=COLOURS[p], marker="o", label=data.label(p, "precision"))
        for p in in_order(table, "precision")
    ]
    shown.append(
        Line2D([], [], color="black", marker="|", linestyle="", markersize=9, label="predicted by theory")
    )
    shown.append(Line2D([], [], color=GREY, marker=">", linestyle="", label="none up to there"))
    return shown


def _name(data: FigureData, problem: str, library: str, gradient: str, loss: str) -> str:
    where = "" if problem == "rotation" else f", {data.label(problem, 'problem')}"
    return f"{_way(data, library, gradient)}, {data.label(loss, 'loss')}{where}"


def _way(data: FigureData, library: str, gradient: str) -> str:
    return f"{data.label(library, 'library')}: {data.label(gradient, 'gradient')}"


def caption(data: FigureData) -> str:
    table = _table(data)
    crashed = table[table["underflow_at"].notna()]
    said = [
        f"{_name(data, *(row[name] for name in ['problem', *ROW]))}, {data.label(row['precision'], 'precision')}: "
        f"{number(row['underflow_at'], 3)}{_predicted(row)}"
        for _, row in crashed.iterrows()
    ]
    text = sentence("the products from which on a gradient underflows are " + listing(said)) if said else ""
    none = len(table) - len(crashed)
    tried = " or ".join(number(float(to)) for to in sorted(table["tried_to"].unique()))
    text += f" In {none} of {len(table)} settings most seeds see none up to {tried} (arrows)."
    return (
        f"{text} Points are medians over {int(table['seeds'].max())} draws of the model's matrix, bars their "
        "order-statistic intervals; the upright strokes are computed from the first step backward in closed form, without a solve."
    )


def _predicted(row: pd.Series) -> str:
    found = row.get("predicted_at")
    return "" if pd.isna(found) else f" (predicted {number(float(found), 3)})"


def alt(data: FigureData) -> str:
    return (
        f"{len(_table(data))} settings in rows, in a panel for each system, on each a point at the product of eigenvalue and horizon where gradients begin to "
        "underflow, a stroke where theory expects it, or an arrow where none does."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("no gradient was computed")
    return table if "underflow_at" in table else table.assign(underflow_at=np.nan)
