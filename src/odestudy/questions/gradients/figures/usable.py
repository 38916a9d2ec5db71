"""The contraction beyond which a gradient is lost, predicted and measured, by arm and family of problems."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.analysis.values import chosen
from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import line_handles
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import counted, in_order, listing, number, sentence
from odestudy.questions.gradients.limits import MOST_NFE

SHOWS = {
    "title": "Where a gradient is lost",
    "tables": ["gradients_limits"],
}
TABLE = "gradients_limits"
GROWING = "growing"  # said in the caption: on the way back it decays, so that there is no contraction to draw
ARM = "adjoint"
APART = 0.35  # of the axis's unit, between arms at one tolerance


def draw(data: FigureData) -> Figure:
    table = _table(data)
    families = [f for f in in_order(table, "family") if f != GROWING] or in_order(table, "family")
    styles = data.looks(in_order(table, "arm"), "arm")
    figure, grid = canvas(1, len(families), height=3.2, sharey=True)
    for axes, family in zip(grid[0], families, strict=True):
        mine = table[table["family"] == family]
        for place, (arm, style) in enumerate(styles.items()):
            _draw_arm(axes, mine[mine["arm"] == arm], style, APART * (place - (len(styles) - 1) / 2))
        ends = [0, 1.05 * table["predicted"].max()]
        axes.plot(ends, ends, color="black", linewidth=0.8, zorder=0)
        axes.set(title=data.label(family, "family"), xlabel="predicted, ln(1/tolerance)")
    grid[0][0].set_ylabel("measured, in contraction")
    extra = [
        Line2D([], [], color="black", label="as predicted"),
        Line2D([], [], color="black", marker="^", markerfacecolor="white", linestyle="none", label="none up to here"),
    ]  # fmt: skip
    markers = {name: style | {"linestyle": "none"} for name, style in styles.items()}
    legend_below(figure, [*line_handles(markers), *extra], 3)
    return figure


def _draw_arm(axes: Axes, rows: pd.DataFrame, style: dict[str, Any], shift: float) -> None:
    at = rows["predicted"] + shift
    look = {k: v for k, v in style.items() if k not in ("label", "linestyle")} | {"markersize": 5}
    known = rows["threshold"].notna()
    low, high = (
        rows["threshold_low"].fillna(rows["threshold"]),
        rows["threshold_high"].fillna(rows["tried_to"]),
    )
    high = high.where(rows["threshold_low"].notna(), rows["threshold"])  # no interval of so few problems
    # Of a median of equal thresholds the ends differ from it by rounding.
    bars = [(rows["threshold"] - low)[known].clip(lower=0), (high - rows["threshold"])[known].clip(lower=0)]
    axes.errorbar(at[known], rows["threshold"][known], bars, linestyle="none", elinewidth=1, **look)
    # Problems that contract less than theory's threshold tell nothing of one; the table has them.
    none = ~known & (rows["tried_to"] >= rows["predicted"])
    axes.plot(
        at[none], rows["tried_to"][none], marker="^", markerfacecolor="white", linestyle="none",
        markersize=6, color=style["color"],
    )  # fmt: skip


def caption(data: FigureData) -> str:
    table = _table(data)
    mine = table[(table["arm"] == ARM) & (table["family"] != GROWING)].dropna(subset=["threshold"])
    said = [
        f"{_span(rows['threshold'])} at a tolerance of {chosen(float(str(rtol)))}, where theory says "
        f"{number(float(rows['predicted'].iloc[0]))}"
        for rtol, rows in mine.groupby("rtol", sort=False)
    ]
    text = sentence(
        f"the adjoint's gradient is lost beyond a contraction of {'; '.join(said)}"
        if said
        else "the adjoint's gradient is never lost"
    )
    through = table[(table["arm"] == "backprop") & (table["family"] != GROWING)]
    lost = through["threshold"].notna().sum()
    never = "never" if not lost else f"in {lost} of {len(through)} settings"
    most = int(table["problems"].max())
    drawn = table[table["family"] != GROWING]
    short = int((drawn["threshold"].isna() & (drawn["tried_to"] < drawn["predicted"])).sum())
    left_out = (
        f" Not drawn: {counted(short, 'setting')} of problems that contract less than theory's threshold."
        if short
        else ""
    )
    how = (
        f"Lost: a relative error above a tenth, or no gradient in {MOST_NFE} evaluations. The contraction is the logarithm of what an error at the end "
        f"grows by on the way back, of a linear problem the eigenvalue times the horizon. Medians over {counted(most, 'problem')} of a "
        f"kind, bars: their order-statistic intervals; markers at one tolerance are set side by side.{left_out}"
    )
    return f"{text} Back-propagation loses it {never}. {how}{_growing(table)}"


def _span(values: pd.Series) -> str:
    ends = dict.fromkeys(number(float(v)) for v in (values.min(), values.max()))
    return " to ".join(ends)


def _growing(table: pd.DataFrame) -> str:
    mine = table[(table["family"] == GROWING) & (table["arm"] == ARM)]
    kept = [chosen(float(str(rtol))) for rtol in mine.loc[mine["threshold"].isna(), "rtol"]]
    if not kept:
        return ""
    lost = mine[mine["threshold"].notna()]
    but = "".join(
        f"; at {chosen(float(row['rtol']))} it needs more evaluations than that, or loses it, from a growth by e^{row['lipschitz']:.0f} on"
        for _, row in lost.iterrows()
    )
    return f" On growing modes, which decay on the way back, the adjoint loses nothing at tolerances of {listing(kept)}{but}."


def alt(data: FigureData) -> str:
    families = listing(data.label(f, "family") for f in in_order(_table(data), "family") if f != GROWING)
    return (
        f"Panels for {families}: the contraction at which a gradient is lost, measured against predicted, a marker with a bar "
        "for each gradient and tolerance, and the line on which both are equal."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty or "limit" not in table:
        raise NothingToShow("no threshold was looked for")
    for column in ("threshold", "threshold_low", "threshold_high"):
        if column not in table:
            table = table.assign(**{column: float("nan")})
    return table
