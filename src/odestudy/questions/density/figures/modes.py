"""Samples of each generator over those of the target, with the modes it covers."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.style import GREY, ORANGE, canvas
from odestudy.figures.words import counted, estimate, failures, in_order, listing, number, quantity

SHOWS = {
    "title": "Samples of the generators",
    "tables": ["density_modes"],
    "arrays": ["modes", "modes_ring"],
}

TABLE = "density_modes"


def draw(data: FigureData) -> Figure:
    table = _table(data)
    targets, generators = in_order(table, "target"), in_order(table, "generator")
    figure, grid = canvas(len(targets), len(generators), height=7.4 / max(3, len(generators)))
    for row, target in zip(grid, targets, strict=True):
        for axes, generator in zip(row, generators, strict=True):
            rows = table[(table["target"] == target) & (table["generator"] == generator)]
            if rows.empty:  # not trained at this tier
                axes.set_axis_off()
                continue
            _panel(data, axes, rows)
            axes.set_title(data.label(generator).replace(" with", "\nwith"), fontsize=8.5)
        row[0].set_ylabel(data.label(target))
    return figure


def _panel(data: FigureData, axes: Axes, rows: pd.DataFrame) -> None:
    arrays = data.arrays(rows["job"].iloc[0]) if len(rows) else {}
    style: dict[str, Any] = {"markersize": 1.8, "markeredgewidth": 0, "linestyle": "none", "rasterized": True}
    for name, color in (("target", GREY), ("drawn", ORANGE)):
        if name in arrays:
            axes.plot(*arrays[name].T, marker=".", color=color, **style)
    reach = 1.5 * float(abs(arrays["target"]).max()) if "target" in arrays else 1.0
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")
    axes.grid(False)


def caption(data: FigureData) -> str:
    table, summary = _table(data), data.table(f"{TABLE}_summary")
    said = [_covered(data, rows) for _, rows in summary.groupby("target", sort=False)]
    shown = "Grey: samples of the target; orange: samples of the first seed's generator."
    by_target = table.groupby("target", sort=False)["seed"].nunique()
    seeds = listing(
        [f"{counted(int(n), 'seed')} on {data.label(str(target))}" for target, n in by_target.items()]
    )
    return f"{' '.join(said)} Mean over {seeds}. {shown} {failures(data, table, ['generator'], 'left out')}"


def _covered(data: FigureData, rows: pd.DataFrame) -> str:
    """Whether all generators cover all modes of a target, or which covers most of them and which least."""
    known = rows.dropna(subset=["modes_covered_pct"]).sort_values("modes_covered_pct", kind="stable")
    target = data.label(rows["target"].iloc[0])
    if known.empty:
        return f"On {target} no generator could be judged."
    least, most = (
        f"the {data.label(r['generator'])} ({estimate(data, r, 'modes_covered_pct', 3)})"
        for r in (known.iloc[0], known.iloc[-1])
    )
    if known["modes_covered_pct"].nunique() == 1:
        every = quantity(data, "modes_covered_pct", known["modes_covered_pct"].iloc[0], 3)
        return f"On {target} every generator covers {every} of the modes."
    reached = [
        f"the {data.label(r['generator'])} {number(r['modes_reached_pct'], 3)} %"
        for _, r in rows.dropna(subset=["modes_reached_pct"]).iterrows()
    ]
    return (
        f"On {target} {most} covers the most modes, with a fifth of their due samples or more, and {least} the fewest; with one "
        f"sample or more {listing(reached)} are reached."
    )


def alt(data: FigureData) -> str:
    names = listing(map(data.label, in_order(_table(data), "generator")))
    return f"Scatter plots, one a generator, for {names}: orange samples over grey ones of the target."


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("no generator was trained")
    return table
