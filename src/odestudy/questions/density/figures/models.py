"""Distance of each fitted density from the truth, and the error of its samples, by target and model."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.words import counted, failures, from_to, in_order, listing, seeds_and_bars, sentence
from odestudy.questions.density.figures._by_target import beyond_the_axis, draw_by_target, nearest

SHOWS = {
    "title": "How far each model is from the truth in the same time of training",
    "tables": ["density_time"],
}

TABLE = "density_time"
COLUMNS = ["excess_nat", "sliced_wasserstein"]
MOST_TARGETS = 8
MIXTURES = "mixture"  # in growing dimension, which have a figure of their own
MATCHING = "matching"  # the same net in another training, which has one, too


def draw(data: FigureData) -> Figure:
    return draw_by_target(data, _table(data), _table(data, "_summary"), COLUMNS)


def caption(data: FigureData) -> str:
    table, summary = _table(data), _table(data, "_summary")
    known = summary.dropna(subset=[COLUMNS[0]])
    first = nearest(summary, COLUMNS[0])
    parts = []
    for model in in_order(known, "model"):
        excess = known.loc[known["model"] == model, COLUMNS[0]]
        ends = from_to(data, COLUMNS[0], excess.min(), excess.max())
        parts.append(f"the {data.label(model)} on {int((first == model).sum())} ({ends})")
    text = sentence(
        f"in the time of the flow's training by likelihood nearest to the truth, of {counted(len(first), 'target')}, is {listing(parts)}; in brackets its "
        "least and its largest NLL minus the true entropy"
    )
    bars = seeds_and_bars(data, table, summary, COLUMNS)
    held = table["certified"].astype(str).eq("True")
    text += f" The certificate holds for {int(held.sum())} of {len(table)} densities."
    off = beyond_the_axis(summary, COLUMNS)
    return f"{text} {bars} {off} {failures(data, table, ['target', 'model'])}"


def alt(data: FigureData) -> str:
    table = _table(data)
    targets = listing(data.label(t) for t in in_order(table, "target"))
    models = listing(data.label(m) for m in in_order(table, "model"))
    return (
        f"Two dot plots with logarithmic axes, left NLL minus entropy, right the sliced Wasserstein distance; from "
        f"top to bottom {targets}, each with markers for {models}."
    )


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
    return rows[rows["target"].isin(chosen) & ~rows["model"].astype(str).str.startswith(MATCHING)]
