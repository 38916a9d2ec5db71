"""Cost of one training step against depth: what the figures of memory and time share."""

from __future__ import annotations

import re
from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.analysis.selecting import is_ok
from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.dots import failed_handle
from odestudy.figures.scales import log_axis, ticks_at
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import counted, failures, from_to, in_order, number, quantity, sentence
from odestudy.measure.fits import power_fit

TABLE = "images_cost"
DRAWN = ("resnet6", "odenet_adjoint", "odenet_backprop", "odenet_checkpointed", "odenet_torchdiffeq")
WIDEST = 0.4  # interval of a power that is still worth saying
CONSTANT_SHARE = 0.05  # what grows is less than that of what does not: the protocol's "constant"


def draw_costs(data: FigureData, columns: list[str], quartiles: tuple[str, str] | None = None) -> Figure:
    """Log-log panels: columns of the table side by side, data sets in rows (one column: side by side).

    Filled markers: fixed steps or blocks; hollow ones: the adaptive solver at its forward evaluations.
    """
    table = cost_table(data)
    datasets = in_order(table, "dataset")
    shape = (len(datasets), len(columns)) if len(columns) > 1 else (1, len(datasets))
    legend = 0.11 * table["arm"].nunique()  # inches; without them the panels would shrink as arms are added
    figure, grid = canvas(*shape, height=(2.6 if len(columns) > 1 else 2.7) + legend, sharex=True)
    styles = {
        arm: look | {"label": _family(data, arm)}
        for arm, look in data.looks(in_order(table, "arm"), "arm").items()
    }
    panels = [(dataset, column) for dataset in datasets for column in columns]
    marks = {"failed": False, "below": False}
    for axes, (dataset, column) in zip(grid.flat, panels, strict=True):
        _panel(data, axes, table[table["dataset"] == dataset], column, styles, quartiles, marks)
        if len(datasets) > 1:
            axes.set_title(data.label(dataset, "dataset"))
    for axes in grid[-1]:
        axes.set_xlabel(data.axis("steps"))
    legend_below(figure, _handles(table, styles, marks), columns=2)
    return figure


def cost_table(data: FigureData) -> pd.DataFrame:
    """The costs of the arms that are drawn; the report's table has all.

    Raises:
        NothingToShow: there is none.
    """
    table = data.table(TABLE)
    drawn = table if table.empty else table[table["arm"].isin(DRAWN)]
    if drawn.empty:
        raise NothingToShow("no cost was measured")
    return drawn


def _growth(data: FigureData, column: str) -> str:
    """For each data set and arm the value at the fewest and at the most steps, and the power law through all."""
    table = cost_table(data)
    said = []
    for dataset in in_order(table, "dataset"):
        fixed = table[(table["dataset"] == dataset) & table["steps"].notna() & is_ok(table)].dropna(
            subset=[column]
        )
        arms = []
        for arm, rows in fixed.sort_values("steps").groupby("arm", sort=False):
            arms.append(
                (in_order(table, "arm").index(arm), f"{_family(data, str(arm))} {_law(data, rows, column)}")
            )
        if arms:
            steps = f"from {fixed['steps'].min():.0f} to {fixed['steps'].max():.0f} steps or blocks"
            where = data.label(dataset, "dataset")
            said.append(f"{steps} on {where}, {'; '.join(text for _, text in sorted(arms))}")
    return "; ".join(said) or "no step succeeded"


def _law(data: FigureData, rows: pd.DataFrame, column: str) -> str:
    """Constant, or from where to where; with the power, unless the points leave it open."""
    x, y = rows["steps"].tolist(), rows[column].tolist()
    way = from_to(data, column, y[0], y[-1])
    if len(x) < 4:
        return way
    fit = power_fit(x, y)
    if fit.a > 0 and abs(fit.share) < CONSTANT_SHARE:
        return f"constant ({quantity(data, column, y[0])})"
    return f"{way} (power {number(fit.alpha)})" if fit.high - fit.low < WIDEST else way


def cost_caption(data: FigureData, what: str, column: str, bars: str) -> str:
    """What was measured and how it grows, how often, what its bars are, and what failed."""
    failed = failures(data, cost_table(data), ["dataset", "arm"], "crosses at the upper edge")
    return f"{sentence(f'{what}, {_growth(data, column)}')} {sentence(f'{_once(data)}; {bars}')} {failed}"


def _once(data: FigureData) -> str:
    """How often it was measured, and what a hollow marker is."""
    table = cost_table(data)
    text = f"power: alpha of a + b N^alpha, where the fit settles it; {counted(int(table['seed'].nunique()), 'seed')}"
    if table["steps"].isna().any():
        text += "; hollow: the adaptive solver at its forward evaluations"
    return text


def _family(data: FigureData, arm: str) -> str:
    """An arm's label without its depth, which here is the horizontal axis: ResNet 6 becomes ResNet."""
    return re.sub(r"\s+\d+$", "", data.label(arm))


def _panel(
    data: FigureData, axes: Axes, table: pd.DataFrame, column: str, styles: dict[str, dict[str, Any]],
    quartiles: tuple[str, str] | None, marks: dict[str, bool],
) -> None:  # fmt: skip
    done, lost = table[is_ok(table) & table[column].notna()], table[~(is_ok(table) & table[column].notna())]
    for arm, look in styles.items():
        rows = done[(done["arm"] == arm) & (done[column] > 0)]
        fixed = rows[rows["steps"].notna()].sort_values("steps")
        free = rows[rows["steps"].isna()]
        axes.plot(fixed["steps"], fixed[column], **look)
        axes.plot(
            free["nfe_forward"], free[column], **look | {"linestyle": "none", "markerfacecolor": "white"}
        )
        if quartiles:
            for part, x in ((fixed, "steps"), (free, "nfe_forward")):
                axes.vlines(
                    part[x],
                    part[quartiles[0]],
                    part[quartiles[1]],
                    color=look["color"],
                    linewidth=2.2,
                    alpha=0.6,
                )
    axes.set_xscale("log")
    log_axis(axes, "y")
    ticks_at(axes, set(table["steps"].dropna()))
    axes.set(ylabel=fill(data.axis(column), 28 if quartiles else 24))
    edges = {"failed": (lost, 1.0, "X", 7), "below": (done[done[column] <= 0], 0.0, "v", 6)}
    for mark, (rows, edge, marker, size) in edges.items():
        rows = rows[rows["steps"].notna()]
        marks[mark] |= not rows.empty
        for arm, x in zip(rows["arm"], rows["steps"], strict=True):
            look = {"marker": marker, "markersize": size, "color": styles[arm]["color"], "zorder": 5}
            look |= {"markeredgecolor": "black", "markeredgewidth": 0.6, "clip_on": False}
            axes.plot([x], [edge], transform=axes.get_xaxis_transform(), **look)


def _handles(table: pd.DataFrame, styles: dict[str, dict[str, Any]], marks: dict[str, bool]) -> list[Line2D]:
    handles = [Line2D([], [], **look) for look in styles.values()]
    if table["steps"].isna().any():
        hollow: dict[str, Any] = {
            "marker": "o",
            "color": "black",
            "markerfacecolor": "white",
            "linestyle": "none",
        }
        handles.append(Line2D([], [], **hollow, label="adaptive, at its evaluations"))
    if marks["failed"]:
        handles.append(failed_handle())
    if marks["below"]:
        edge: dict[str, Any] = {
            "marker": "v",
            "color": "white",
            "markeredgecolor": "black",
            "linestyle": "none",
        }
        handles.append(Line2D([], [], **edge, label="too small to be measured"))
    return handles
