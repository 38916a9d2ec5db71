"""The cosine of each arm's gradient to the true one, against eigenvalue times horizon."""

from __future__ import annotations

import math
from itertools import product

import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.style import DASHDOT, canvas, legend_below
from odestudy.figures.words import failures, in_order, listing, number, sentence, setting
from odestudy.questions.gradients.params import USABLE

SHOWS = {
    "title": "Where the adjoint's gradient stops being usable",
    "tables": ["gradients_eigenvalue", "gradients_usable"],
}
TABLE, LIMITS = "gradients_eigenvalue", "gradients_usable"


def draw(data: FigureData) -> Figure:
    table = _table(data)
    arms, horizons = in_order(table, "arm"), in_order(table, "horizon")
    precisions, tolerances, styles = (
        in_order(table, "precision"),
        in_order(table, "rtol"),
        data.looks(arms, "arm"),
    )
    figure, grid = canvas(len(precisions), len(tolerances), height=2.2, sharex=True, sharey=True)
    for row, precision in zip(grid, precisions, strict=True):
        for axes, rtol in zip(row, tolerances, strict=True):
            mine = table[(table["precision"] == precision) & (table["rtol"] == rtol)]
            for (arm, style), horizon in product(styles.items(), horizons):
                rows = mine[(mine["arm"] == arm) & (mine["horizon"] == horizon)]
                own = style | {"markersize": 4}
                if horizon != horizons[0]:
                    own |= {"linestyle": ":", "markerfacecolor": "white"}
                draw_line(axes, rows, "product", "gradient_cosine", own, positive=False)
            axes.axhline(USABLE, color="black", linewidth=0.7, linestyle=":")
            axes.axvline(-_lost_at(rtol), color="black", linewidth=0.9, linestyle=DASHDOT)
            axes.set_title(f"{precision}, tolerance {setting(rtol)}")
    for axes in grid[-1]:
        axes.set_xlabel(data.axis("product"))
    for row in grid:
        row[0].set_ylabel("cosine to the\ntrue gradient")
    legend_below(figure, line_handles(styles), 3)
    return figure


def caption(data: FigureData) -> str:
    limits = data.table(LIMITS)
    table = _table(data)
    first = table["horizon"].min()
    mine = limits[(limits["arm"] == "adjoint") & (limits["horizon"] == first)]
    said = [
        f"{_end(row.get('usable_decay'), '−')} to {_end(row.get('usable_growth'), '')} ({row['precision']}, tolerance {setting(row['rtol'])})"
        for _, row in mine.iterrows()
    ]
    text = sentence(f"the adjoint's gradient keeps a cosine of {USABLE:g} over products from {listing(said)}")
    lost = failures(data, data.table(TABLE), ["arm", "precision"], "left out")
    least = float(table[table["arm"] == "backprop"]["gradient_cosine"].min())
    through = f"The least cosine of back-propagation through the solver is {number(least, 4)}."
    theory = listing(f"−{number(_lost_at(rtol))} at {setting(rtol)}" for rtol in in_order(table, "rtol"))
    predicted = f"Theory loses it where the decay exceeds the logarithm of one over the tolerance, at {theory} (upright lines)."
    return f"{text} {predicted} {through} {_horizons(table)} Thin dotted line: {USABLE:g}. {lost}"


def _lost_at(rtol: float) -> float:
    """The decay, minus eigenvalue times horizon, that blows an error of one tolerance up to the size of the state."""
    return math.log(1 / rtol)


def _horizons(table: pd.DataFrame) -> str:
    """Whether the horizon matters beside the product: the largest difference of the adjoint's cosine between two of them."""
    first, *others = in_order(table, "horizon")
    if not others:
        return f"Horizon {number(float(first), 1)}."
    wide = table[table["arm"] == "adjoint"].pivot_table(
        index=["precision", "rtol", "product"], columns="horizon", values="gradient_cosine"
    )
    apart = max(float((wide[other] - wide[first]).abs().max()) for other in others)
    listed = listing(number(float(other), 1) for other in others)
    return (
        f"Filled markers: horizon {number(float(first), 1)}, hollow: {listed}; at equal products the adjoint's cosine differs "
        f"between them by at most {number(apart)}."
    )


def _end(value: float | None, sign: str) -> str:
    return "0" if value is None or pd.isna(value) else f"{sign}{number(float(value))}"


def alt(data: FigureData) -> str:
    return (
        "Cosine of the gradient to the true one against eigenvalue times horizon, a line for each arm, in panels by "
        "arithmetic and tolerance; a dotted line marks what still counts as usable."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty or "gradient_cosine" not in table:
        raise NothingToShow("no gradient was measured")
    return table
