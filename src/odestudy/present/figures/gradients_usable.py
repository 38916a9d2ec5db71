"""The cosine of each arm's gradient to the true one, against eigenvalue times horizon."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.present.figures.base import FigureData, NothingToShow
from odestudy.present.figures.lines import draw_line, line_handles
from odestudy.present.figures.style import canvas, legend_below, looks
from odestudy.present.figures.words import failures, in_order, listing, number, sentence

TABLE, LIMITS = "gradients_eigenvalue", "gradients_usable"
USABLE = 0.99


def draw(data: FigureData) -> Figure:
    table = _table(data)
    arms = in_order(table, "arm")
    precisions, tolerances, styles = in_order(table, "precision"), in_order(table, "rtol"), looks(arms)
    figure, grid = canvas(len(precisions), len(tolerances), height=2.2, sharex=True, sharey=True)
    for row, precision in zip(grid, precisions, strict=True):
        for axes, rtol in zip(row, tolerances, strict=True):
            mine = table[(table["precision"] == precision) & (table["rtol"] == rtol)]
            for arm, style in styles.items():
                draw_line(
                    axes,
                    mine[mine["arm"] == arm],
                    "product",
                    "gradient_cosine",
                    style | {"markersize": 4},
                    positive=False,
                )
            axes.axhline(USABLE, color="black", linewidth=0.7, linestyle=":")
            axes.set_title(f"{precision}, tolerance {rtol:g}")
    for axes in grid[-1]:
        axes.set_xlabel(data.axis("product"))
    for row in grid:
        row[0].set_ylabel("cosine to the\ntrue gradient")
    legend_below(figure, line_handles(styles), 3)
    return figure


def caption(data: FigureData) -> str:
    limits = data.table(LIMITS)
    mine = limits[(limits["arm"] == "adjoint") & (limits["horizon"] == limits["horizon"].min())]
    said = [
        f"{_end(row.get('usable_decay'), '−')} to {_end(row.get('usable_growth'), '')} ({row['precision']}, tolerance {row['rtol']:g})"
        for _, row in mine.iterrows()
    ]
    text = sentence(f"the adjoint's gradient keeps a cosine of {USABLE:g} over products from {listing(said)}")
    lost = failures(data, data.table(TABLE), ["arm", "precision"], "left out")
    table = _table(data)
    least = float(table[table["arm"] == "backprop"]["gradient_cosine"].min())
    through = f"The least cosine of back-propagation through the solver is {number(least, 4)}."
    return f"{text} {through} Horizon {number(float(table['horizon'].min()), 1)}; dotted: {USABLE:g}. {lost}"


def _end(value: float | None, sign: str) -> str:
    return "0" if value is None or pd.isna(value) else f"{sign}{number(float(value))}"


def alt(data: FigureData) -> str:
    return (
        "Cosine of the gradient against eigenvalue times horizon: one in the middle for all arms, dropping to nothing for "
        "the adjoints at strongly negative products, and at strongly positive ones in float32; back-propagation stays at one."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty or "gradient_cosine" not in table:
        raise NothingToShow("no gradient was measured")
    return table[table["horizon"] == table["horizon"].min()]
