"""The last conditioning that is learnt, by kind and way of training."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import line_handles
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import in_order, listing, number, sentence
from odestudy.statistics.estimates import middle_of

SHOWS = {
    "title": "The last conditioning that is learnt",
    "tables": ["dynamics_conditioning_last"],
}
TABLE = "dynamics_conditioning_last"
METHOD = "dopri5"


def draw(data: FigureData) -> Figure:
    table = _table(data)
    kinds, arms = in_order(table, "problem"), in_order(table, "arm")
    styles = data.looks(arms, "arm")
    figure, grid = canvas(1, 1, height=0.9 + 0.5 * len(kinds))
    axes = grid[0, 0]
    for (kind, arm), runs in table.groupby(["problem", "arm"], sort=False):
        shift = 0.18 * (arms.index(str(arm)) - (len(arms) - 1) / 2)
        _last(axes, runs, kinds.index(str(kind)) + shift, styles[str(arm)])
    axes.set_xscale("log")
    axes.set_xlim(0.4, 2 * float(table["tried_k"].max()))
    axes.set_yticks(range(len(kinds)), [data.label(kind, "problem") for kind in kinds])
    axes.set_ylim(len(kinds) - 0.5, -0.5)
    axes.set_xlabel("last k that is learnt")
    legend_below(figure, line_handles(styles), 2)
    return figure


def _last(axes: Axes, runs: pd.DataFrame, y: float, style: dict[str, Any]) -> None:
    """Middle of the seeds, on a line from the smallest to the largest; at the left end where not even k = 1 is learnt."""
    values = runs["last_k"].clip(lower=0.5)
    axes.plot([values.min(), values.max()], [y, y], "-", color=style["color"], linewidth=1.2)
    axes.plot(middle_of(values.to_numpy(), on_grid=True), y, **style | {"linestyle": "", "markersize": 6})


def caption(data: FigureData) -> str:
    table = _table(data)
    said = []
    for kind, runs in table.groupby("problem", sort=False):
        parts = [
            f"{data.label(str(arm))} {_words(mine['last_k'])}"
            for arm, mine in runs.groupby("arm", sort=False)
        ]
        said.append(f"{data.label(str(kind), 'problem')}: {', '.join(parts)}")
    text = sentence(
        f"last k that is learnt, median over seeds (of an even number the smaller one in the middle), {'; '.join(said)}"
    )
    tried = listing(number(float(k)) for k in sorted(table["tried_k"].unique()))
    within = listing(number(float(bound)) for bound in sorted(table["learnt_pct"].unique()))
    return (
        f"{text} Learnt means that the field on the data's support and both decay rates are within {within} %, for this k and "
        f"for all smaller ones; tried up to {tried}. Lines reach from the smallest to the largest of {table['seed'].nunique()} seeds; at "
        "the left end not even the first k is learnt."
    )


def _words(values: pd.Series) -> str:
    """As the ledger has it: of an even number of seeds the smaller of the two in the middle, which was tried, too."""
    median = middle_of(values.to_numpy(), on_grid=True)
    return f"{median:,.0f}" if median >= 1 else "none"


def alt(data: FigureData) -> str:
    _table(data)
    return (
        "Points on a logarithmic axis of k, in rows by kind of bad conditioning: the last k that is learnt with the equations as "
        "given, with states and time in units of the data, and by least squares."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if not table.empty:
        table = table[(table["method"] == METHOD) & (table["share"] == 1.0)]
    if table.empty or not {"last_k", "learnt_pct"} <= set(table):
        raise NothingToShow("no badly conditioned system was learnt")
    return table
