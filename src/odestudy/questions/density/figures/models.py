"""Distance of each fitted density from the truth, and the error of its samples, by target and model."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.dots import Dots, categories, draw_dots, failed_handle
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import (
    counted,
    failures,
    from_to,
    in_order,
    listing,
    seeds_and_bars,
    sentence,
)

SHOWS = {
    "title": "How far each model is from the truth in the same time of training",
    "tables": ["density_time"],
}

TABLE = "density_time"
COLUMNS = ["excess_nat", "sliced_wasserstein"]
MOST_TARGETS = 8
MIXTURES = "mixture"  # in growing dimension, which have a figure of their own


def draw(data: FigureData) -> Figure:
    table = _table(data)
    targets, styles = in_order(table, "target"), data.looks(in_order(table, "model"), "model")
    figure, grid = canvas(1, 2, height=0.9 + len(targets) * (0.2 + 0.12 * len(styles)), sharey=True)
    marked = [
        draw_dots(axes, _lines(data, targets, styles), column, seeds_below=0.05, log=True)
        for axes, column in zip(grid[0], COLUMNS, strict=True)
    ]
    for axes, column in zip(grid[0], COLUMNS, strict=True):
        log_axis(axes, "x")
        axes.set_xlabel(data.axis(column))
        categories(axes, [data.label(target) for target in targets])
    handles: list[Any] = [
        Line2D([], [], **style | {"linestyle": "none", "label": data.label(m)}) for m, style in styles.items()
    ]
    legend_below(figure, handles + ([failed_handle()] if any(marked) else []), columns=5)
    return figure


def caption(data: FigureData) -> str:
    table, summary = _table(data), _table(data, "_summary")
    known = summary.dropna(subset=[COLUMNS[0]])
    nearest = known.loc[known.groupby("target", sort=False)[COLUMNS[0]].idxmin(), "model"]
    parts = []
    for model in in_order(known, "model"):
        excess = known.loc[known["model"] == model, COLUMNS[0]]
        ends = from_to(data, COLUMNS[0], excess.min(), excess.max())
        parts.append(f"the {data.label(model)} on {int((nearest == model).sum())} ({ends})")
    text = sentence(
        f"in the time of the flow's training by likelihood nearest to the truth, of {counted(len(nearest), 'target')}, is {listing(parts)}; in brackets its "
        "least and its largest NLL minus the true entropy"
    )
    bars = seeds_and_bars(data, table, summary, COLUMNS)
    held = table["certified"].astype(str).eq("True")
    text += f" The certificate holds for {int(held.sum())} of {len(table)} densities."
    beyond = int((summary[[f"{column}_low" for column in COLUMNS]] <= 0).to_numpy().sum())
    off = (
        f"{beyond} of the intervals reach zero or below and leave the logarithmic axis at its left."
        if beyond
        else ""
    )
    return f"{text} {bars} {off} {failures(data, table, ['target', 'model'])}"


def alt(data: FigureData) -> str:
    table = _table(data)
    targets = listing(data.label(t) for t in in_order(table, "target"))
    models = listing(data.label(m) for m in in_order(table, "model"))
    return (
        f"Two dot plots with logarithmic axes, left NLL minus entropy, right the sliced Wasserstein distance; from "
        f"top to bottom {targets}, each with markers for {models}."
    )


def _lines(data: FigureData, targets: list[str], styles: dict[str, dict[str, Any]]) -> list[Dots]:
    table, summary = _table(data), _table(data, "_summary")
    lines = []
    for i, target in enumerate(targets):
        for j, (name, style) in enumerate(styles.items()):
            at = i + ((j + 0.5) / len(styles) - 0.5) * 0.8
            runs, mean = (f[(f["target"] == target) & (f["model"] == name)] for f in (table, summary))
            lines.append(Dots(at, runs, mean, style))
    return lines


def _table(data: FigureData, name: str = "") -> pd.DataFrame:
    """The rows of targets to which several models were fitted."""
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("no density was fitted")
    several = table.groupby("target", sort=False)["model"].nunique()
    chosen = [t for t in several.index[several > 1] if not str(t).startswith(MIXTURES)][:MOST_TARGETS]
    if not chosen:
        raise NothingToShow("no two models were fitted to one target")
    rows = data.table(f"{TABLE}{name}")
    return rows[rows["target"].isin(chosen)]
