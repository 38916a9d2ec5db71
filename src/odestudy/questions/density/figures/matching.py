"""The same net trained by likelihood and by flow matching, in the same time: distance from the truth by target."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.words import counted, estimate, failures, in_order, listing, seeds_and_bars, sentence
from odestudy.questions.density.figures._by_target import beyond_the_axis, draw_by_target, nearest

SHOWS = {
    "title": "Trained by likelihood or by flow matching, in the same time",
    "tables": ["density_time"],
}

TABLE = "density_time"
COLUMN = "excess_nat"
OWN, MATCHING = "cnf", "matching"  # and matching_ot


def draw(data: FigureData) -> Figure:
    return draw_by_target(data, _table(data), _table(data, "_summary"), [COLUMN])


def caption(data: FigureData) -> str:
    table, summary = _table(data), _table(data, "_summary")
    first = nearest(summary, COLUMN)
    said = [
        f"{data.label(model, 'model')} on {int((first == model).sum())}" for model in in_order(table, "model")
    ]
    text = sentence(f"of {counted(len(first), 'target')} nearest to the truth is {listing(said)}")
    hardest = summary[summary["target"] == _hardest(summary)]
    numbers = [
        f"{data.label(row['model'], 'model')} {estimate(data, row, COLUMN)}" for _, row in hardest.iterrows()
    ]
    text += (
        f" Furthest from it, on {data.label(str(hardest['target'].iloc[0]), 'target')}: {'; '.join(numbers)}."
    )
    held = table["certified"].astype(str).eq("True")
    text += (
        " The same net and the same processor time; flow matching takes neither solver nor trace in training. The certificate "
        f"holds for {int(held.sum())} of {len(table)} densities."
    )
    bars = seeds_and_bars(data, table, summary, [COLUMN])
    return f"{text} {bars} {beyond_the_axis(summary, [COLUMN])} {failures(data, table, ['target', 'model'])}"


def _hardest(summary: pd.DataFrame) -> str:
    """The target from which the flow by likelihood stays furthest."""
    own = summary[summary["model"] == OWN].dropna(subset=[COLUMN])
    return str((own if len(own) else summary).sort_values(COLUMN, kind="stable")["target"].iloc[-1])


def alt(data: FigureData) -> str:
    table = _table(data)
    targets = listing(data.label(t, "target") for t in in_order(table, "target"))
    models = listing(data.label(m, "model") for m in in_order(table, "model"))
    return (
        f"A dot plot with a logarithmic axis of NLL minus entropy; from top to bottom {targets}, each with markers for "
        f"{models}."
    )


def _table(data: FigureData, name: str = "") -> pd.DataFrame:
    """The rows of the net trained either way, of the targets to which both were fitted."""
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("no density was fitted")
    matched = table[table["model"].astype(str).str.startswith(MATCHING)]["target"].unique()
    if not len(matched):
        raise NothingToShow("nothing was trained by flow matching")
    rows = data.table(f"{TABLE}{name}")
    mine = rows["model"].astype(str)
    return rows[rows["target"].isin(matched) & ((mine == OWN) | mine.str.startswith(MATCHING))]
