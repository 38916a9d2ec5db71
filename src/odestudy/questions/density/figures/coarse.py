"""The density that a flow trained with few Euler steps claims, beside the one a refined solver gives it."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from odestudy.analysis.selecting import is_ok
from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles, log_ticks_of_two
from odestudy.figures.scales import log_axis
from odestudy.figures.style import GREY, canvas, legend_below
from odestudy.figures.words import failures, in_order, listing, seeds_and_bars, sentence

SHOWS = {
    "title": "What training at a coarse step exploits",
    "tables": ["density_coarse"],
}

TABLE = "density_coarse"
LINEAR_NAT = 0.1  # within which the axis of distances is linear
COLUMNS: dict[str, dict[str, Any]] = {
    "claimed_excess_nat": {"title": "claimed in training"},
    "refined_excess_nat": {"title": "with a refined solver"},
    "claimed_integral": {"title": "integral of the claim"},
}


def draw(data: FigureData) -> Figure:
    summary = _summary(data)
    targets, styles = in_order(summary, "target"), data.looks(in_order(summary, "formula"), "formula")
    figure, grid = canvas(len(targets), len(COLUMNS), height=2.6)
    for row, target in zip(grid, targets, strict=True):
        mine = summary[summary["target"] == target]
        for axes, (column, about) in zip(row, COLUMNS.items(), strict=True):
            integral = column == "claimed_integral"
            for formula, style in styles.items():
                draw_line(axes, mine[mine["formula"] == formula], "step", column, style, positive=integral)
            axes.margins(y=0.12)
            axes.axhline(1.0 if integral else 0.0, color=GREY, linewidth=0.9, zorder=0)
            log_ticks_of_two(axes, mine["step"])
            if integral:
                log_axis(axes, "y")
            else:
                axes.set_yscale("symlog", linthresh=LINEAR_NAT)
                least = mine[[column, f"{column}_low"]].min().min()
                axes.set_ylim(bottom=1.4 * min(float(least), -0.05))
            axes.set(title=about["title"], xlabel="Euler step in training")
        row[0].set_ylabel(f"NLL minus entropy (nat)\n{data.label(target)}")
        row[-1].set_ylabel("integral")
    legend_below(figure, line_handles(styles))
    return figure


def caption(data: FigureData) -> str:
    summary = _summary(data)
    target = in_order(summary, "target")[0]
    mine = summary[summary["target"] == target]
    said = [
        f"by the {data.label(formula, 'formula')} {_better(mine[mine['formula'] == formula])}"
        for formula in in_order(mine, "formula")
    ]
    text = sentence(f"{data.label(target)}: training claims a density better than the truth {listing(said)}")
    columns = ["claimed_excess_nat", "refined_excess_nat", "claimed_integral"]
    bars = seeds_and_bars(data, data.table(TABLE), summary, columns, band=True)
    lost = failures(data, data.table(TABLE), ["target", "formula"], "left out of the means")
    table = data.table(TABLE)
    apart = int((is_ok(table) & table["refined_nll_nat"].isna()).sum()) if "refined_nll_nat" in table else 0
    never = (
        f"In {apart} of {len(table)} runs the formulas agree at no refined step, which leaves the middle out."
        if apart
        else ""
    )
    axes = f"Left and middle: the axis is linear within {LINEAR_NAT:g} nat of zero, logarithmic beyond."
    below = "Below the grey line a claim is better than any density can be."
    return f"{text} {below} {axes} {bars} {lost} {never}".rstrip()


def _better(rows: pd.DataFrame) -> str:
    """The steps at which the claim, with its interval where there is one, lies below the entropy."""
    column = "claimed_excess_nat"
    rows = rows[rows[f"{column}_high"].fillna(rows[column]) < 0].sort_values("step")
    return f"at h = {listing(f'1/{round(1 / step)}' for step in rows['step'])}" if len(rows) else "at no step"


def alt(data: FigureData) -> str:
    return (
        "Three plots against the Euler step in training: left the claimed likelihood beside what is possible, in the "
        "middle that with a refined solver, right the integral of the claimed density, which should be one."
    )


def _summary(data: FigureData) -> pd.DataFrame:
    summary = data.table(f"{TABLE}_summary")
    if summary.empty:
        raise NothingToShow("no flow was trained with few steps")
    return summary
