"""The order of layers that see k predecessors, by their weights; beside it what the weights have to be."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.style import BLACK, GREY, canvas, legend_below, points_with_interval
from odestudy.figures.words import in_order, listing, number, sentence

SHOWS = {
    "title": "Order of layers that see several earlier ones",
    "tables": ["gradients_layer_orders", "gradients_layer_weights"],
}
TABLE, WEIGHTS = "gradients_layer_orders", "gradients_layer_weights"


def draw(data: FigureData) -> Figure:
    fits, weights = _fits(data), data.table(WEIGHTS)
    styles = data.looks(in_order(fits, "weights"), "weights")
    figure, grid = canvas(1, 2, height=3.0)
    left, right = grid[0]
    handles = []
    for kind, style in styles.items():
        every = fits[fits["weights"] == kind]
        left.plot(every["k"], every["order"], **style | {"linestyle": "none", "markersize": 3, "alpha": 0.6})
        rows = every[every["draw"] == every["draw"].min()]
        points_with_interval(left, rows["k"], rows["order"], rows["order_low"], rows["order_high"], **style)
        handles += left.plot(rows["k"], rows["order"], **style)
    left.plot([1, fits["k"].max()], [1, fits["k"].max()], color="black", linewidth=0.7, zorder=0)
    left.set(
        xlabel=data.axis("k"), ylabel=data.axis("order"), title="order", ylim=(-0.5, fits["k"].max() + 0.7)
    )
    largest = weights[weights["k"] == weights["k"].max()]
    for column, colour, marker in (("window_weight", BLACK, "o"), ("dense_weight", GREY, "s")):
        label = data.axis(column)
        handles += right.plot(
            largest["predecessor"], largest[column], color=colour, marker=marker, label=label
        )
    right.axhline(0, color="black", linewidth=0.7)
    right.set(
        xlabel="predecessor, the newest first",
        ylabel="weight",
        title=f"weights for k = {largest['k'].iloc[0]}; last: all older",
    )
    legend_below(figure, handles, 3)
    return figure


def caption(data: FigureData) -> str:
    fits = _fits(data)
    most = fits[fits["k"] == fits["k"].max()]
    said = [_order(data, most[most["weights"] == kind]) for kind in in_order(most, "weights")]
    text = sentence(f"layers that see {most['k'].iloc[0]} predecessors have order {listing(said)}")
    return (
        f"{text} Logistic equation, exact starting values; lines and bars: the first draw with the 95 % interval of its slope, small "
        "markers: the others; black: order k. Right: beside a "
        "running state the weights of Adams-Bashforth; in a DenseNet without one their partial sums, and one for all older layers."
    )


def _order(data: FigureData, rows: pd.DataFrame) -> str:
    """The order and the interval of its slope, or from the least to the most over draws of the weights."""
    first, with_what = rows.iloc[0], f"with {data.label(str(rows['weights'].iloc[0]), 'weights')}"
    if len(rows) == 1:
        ends = f"[{number(first['order_low'])}, {number(first['order_high'])}]"
        return f"{number(first['order'])} {ends} {with_what}"
    ends = f"{number(float(rows['order'].min()))} to {number(float(rows['order'].max()))}"
    return f"{ends} {with_what} ({len(rows)} draws)"


def alt(data: FigureData) -> str:
    return (
        "Left the fitted order against the number of predecessors, with Adams-Bashforth weights, other weights of sum one and "
        "free ones, and the diagonal of equal numbers; right the weights by predecessor, alternating in sign."
    )


def _fits(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty or "order" not in table:
        raise NothingToShow("no order was fitted")
    return table.drop_duplicates(["k", "weights", "draw"])
