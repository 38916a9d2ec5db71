"""How far learnt trajectories from fresh starts are off, by recipe, system and what learnt them."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.dots import Dots, categories, draw_dots, failed_handle
from odestudy.figures.scales import log_axis
from odestudy.figures.style import GREY, canvas, legend_below
from odestudy.figures.words import failures, in_order, listing, seeds_and_bars, sentence, span

SHOWS = {
    "title": "Trajectories from fresh starts, by recipe and method",
    "tables": ["dynamics_recovery"],
}

TABLE, COLUMN = "dynamics_recovery", "heldout_nrmse"
HIDDEN = "stepper"  # a series more than an eye can follow; the table has it
WIDEST = 10.0  # an error beyond it says nothing more; it is drawn there


def draw(data: FigureData) -> Figure:
    runs, means = _frames(data)
    recipes, systems = in_order(runs, "recipe"), in_order(runs, "system")
    styles = data.looks(in_order(runs, "arm"), "arm")
    figure, grid = canvas(1, len(recipes), height=0.9 + len(systems) * 0.75, sharey=True)
    marked = []
    for axes, recipe in zip(grid[0], recipes, strict=True):
        lines = []
        for i, system in enumerate(systems):
            for j, (arm, look) in enumerate(styles.items()):
                single, mean = (_clipped(_of(f, recipe, system, arm)) for f in (runs, means))
                at = i + ((j + 0.5) / len(styles) - 0.5) * 0.84
                lines.append(Dots(at, single, mean, look | {"markersize": 4}))
        marked.append(draw_dots(axes, lines, COLUMN, seeds_below=0.25 / len(styles), log=True))
        axes.axvline(data.margins["recovered"].at_most, color=GREY, linewidth=0.9, linestyle="--")
        log_axis(axes, "x")
        axes.set_xlabel(data.axis(COLUMN))
        axes.set_title(data.label(recipe, "recipe"), fontsize=8.5)
        categories(axes, [data.label(system) for system in systems])
    handles: list[Any] = [Line2D([], [], **look | {"linestyle": "none"}) for look in styles.values()]
    handles.append(Line2D([], [], color=GREY, linewidth=0.9, linestyle="--", label="counts as recovered"))
    legend_below(figure, handles + ([failed_handle()] if any(marked) else []), columns=3)
    return figure


def caption(data: FigureData) -> str:
    runs, means = _frames(data)
    said = [
        f"{data.label(recipe, 'recipe')}: "
        + listing(
            [
                f"{data.label(arm)} {span(data, _of(means, recipe, None, arm), COLUMN, 'system')}"
                for arm in in_order(means[means["recipe"] == recipe], "arm")
            ]
        )
        for recipe in in_order(means, "recipe")
    ]
    noise = runs["noise_pct"].max()
    return (
        f"{sentence('; '.join(said))} Noise {noise:g} % of the spread; an error of one is that of no motion at all. "
        f"{seeds_and_bars(data, runs, means, [COLUMN])} {failures(data, runs, ['recipe', 'system', 'arm'])}"
    )


def alt(data: FigureData) -> str:
    runs, _ = _frames(data)
    return (
        "Dot plots with a logarithmic axis, a panel for each recipe, from top to bottom "
        f"{listing([data.label(s) for s in in_order(runs, 'system')])}, each with markers for "
        f"{listing([data.label(a) for a in in_order(runs, 'arm')])}."
    )


def _frames(data: FigureData) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs and means with the largest noise."""
    runs, means = data.table(TABLE), data.table(f"{TABLE}_summary")
    if runs.empty or COLUMN not in runs:
        raise NothingToShow("no linear system was learnt")
    noise = runs["noise_pct"].max()
    runs, means = (f[(f["noise_pct"] == noise) & (f["arm"] != HIDDEN)] for f in (runs, means))
    return runs, means


def _of(frame: pd.DataFrame, recipe: str, system: str | None, arm: str) -> pd.DataFrame:
    mine = frame[(frame["recipe"] == recipe) & (frame["arm"] == arm)]
    return mine if system is None else mine[mine["system"] == system]


def _clipped(frame: pd.DataFrame) -> pd.DataFrame:
    """Values beyond the edge are drawn at it, with no interval that would reach further."""
    names = [c for c in (COLUMN, f"{COLUMN}_low", f"{COLUMN}_high") if c in frame]
    return frame.assign(**{c: frame[c].clip(upper=WIDEST) for c in names})
