"""Evaluations of the right-hand side in a training step, forward and backward, over the epochs."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from odestudy.present.figures.base import FigureData, NothingToShow
from odestudy.present.figures.curves import draw_curve, failed_runs, handles
from odestudy.present.figures.style import canvas, legend_below, looks
from odestudy.present.figures.words import from_to, in_order, listing, seeds_and_bars, sentence

TABLE = "images_epochs"
COLUMNS = ["nfe_forward", "nfe_backward"]


def draw(data: FigureData) -> Figure:
    table, summary = _frames(data)
    styles = looks(in_order(table, "arm"))
    styles = {arm: look | {"label": data.label(arm)} for arm, look in styles.items()}
    datasets = in_order(table, "dataset")
    figure, grid = canvas(len(datasets), 2, height=2.4, sharex="row", sharey="row")
    for row, dataset in zip(grid, datasets, strict=True):
        runs, means = (frame[frame["dataset"] == dataset] for frame in (table, summary))
        for axes, column in zip(row, COLUMNS, strict=True):
            for arm, look in styles.items():
                draw_curve(axes, runs[runs["arm"] == arm], means[means["arm"] == arm], column, look)
            axes.set(xlabel=data.axis("epoch"), title=data.axis(column))
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        row[0].set_ylim(bottom=-0.04 * row[0].get_ylim()[1])
        row[0].set_ylabel("evaluations a step" + (f"\n{data.label(dataset)}" if len(datasets) > 1 else ""))
    legend_below(figure, handles(styles))
    return figure


def caption(data: FigureData) -> str:
    table, summary = _frames(data)
    said = []
    for dataset in in_order(table, "dataset"):
        means = summary[summary["dataset"] == dataset]
        arms = [_from_to(data, arm, means[means["arm"] == arm]) for arm in in_order(means, "arm")]
        said.append(f"on {data.label(dataset)}: {'; '.join(arms)}")
    text = sentence(
        "evaluations of the right-hand side a training step, from the first epoch to the last "
        + "; ".join(said)
    )
    bars = seeds_and_bars(data, table, summary, COLUMNS, band=True)
    return f"{text} {bars} {failed_runs(data, in_order(table, 'arm'))}"


def alt(data: FigureData) -> str:
    table, _ = _frames(data)
    return (
        "Two line plots over the epochs with one vertical axis, left evaluations of the forward pass, right "
        f"those of the backward pass, with a curve for {listing(map(data.label, in_order(table, 'arm')))}."
    )


def _frames(data: FigureData) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Table and summary without the arms that integrate nothing."""
    table, summary = data.table(TABLE), data.table(f"{TABLE}_summary")
    arms = set() if table.empty else set(table.loc[table["nfe_forward"] > 0, "arm"])
    if not arms:
        raise NothingToShow("no run of an ODE-Net")
    return table[table["arm"].isin(arms)], summary[summary["arm"].isin(arms)]


def _from_to(data: FigureData, arm: Any, means: pd.DataFrame) -> str:
    ends = means.sort_values("epoch").iloc[[0, -1]]
    way = [
        f"{from_to(data, c, ends[c].iloc[0], ends[c].iloc[1], 3)} {name}"
        for name, c in zip(("forward", "backward"), COLUMNS, strict=True)
    ]
    return f"{data.label(arm)}: {' and '.join(way)}"
