"""Training loss and validation error over the epochs, by arm."""

from __future__ import annotations

from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import (
    estimate,
    in_order,
    listing,
    seeds_and_bars,
    sentence,
)
from odestudy.questions.images.figures._curves import draw_curve, failed_runs, handles

SHOWS = {"title": "Loss and validation error over the epochs", "tables": ["images_epochs", "images_accuracy"]}

TABLE = "images_epochs"
COLUMNS = ["train_loss", "validation_error_pct"]


def draw(data: FigureData) -> Figure:
    table, summary = _table(data), data.table(f"{TABLE}_summary")
    styles = _styles(data)
    datasets = in_order(table, "dataset")
    figure, grid = canvas(len(datasets), 2, height=2.5, sharex="row")
    for row, dataset in zip(grid, datasets, strict=True):
        runs, means = (frame[frame["dataset"] == dataset] for frame in (table, summary))
        for axes, column in zip(row, COLUMNS, strict=True):
            for arm, look in styles.items():
                draw_curve(axes, runs[runs["arm"] == arm], means[means["arm"] == arm], column, look)
            if (means[column].dropna() > 0).all():
                log_axis(axes, "y")
            axes.set(xlabel=data.axis("epoch"), ylabel=fill(data.axis(column), 28))
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if len(datasets) > 1:
            row[0].set_title(data.label(dataset, "dataset"))
    legend_below(figure, handles(styles), columns=3)
    return figure


def caption(data: FigureData) -> str:
    table, summary = _table(data), data.table(f"{TABLE}_summary")
    said = []
    for dataset in in_order(table, "dataset"):
        last = summary[(summary["dataset"] == dataset)]
        last = last.loc[last.groupby("arm", sort=False)["epoch"].idxmax()]
        arms = [
            f"{estimate(data, row, COLUMNS[1])} for {data.label(row['arm'])}" for _, row in last.iterrows()
        ]
        epoch = int(last["epoch"].max())
        said.append(
            f"on {data.label(dataset, 'dataset')} the validation error after {epoch} epochs is {listing(arms)}"
        )
    text, lost = sentence("; ".join(said)), failed_runs(data, in_order(table, "arm"))
    return f"{text} {seeds_and_bars(data, table, summary, COLUMNS, band=True)} {lost}"


def alt(data: FigureData) -> str:
    table = _table(data)
    arms = [data.label(arm) for arm in in_order(table, "arm")]
    return (
        f"Line plots over the epochs for {listing(data.label(d, 'dataset') for d in in_order(table, 'dataset'))}, left the "
        f"training loss, right the validation error, each with a curve for {listing(arms)}."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("no training run")
    return table


def _styles(data: FigureData) -> dict[str, dict[str, Any]]:
    return data.looks(in_order(data.table(TABLE), "arm"), "arm")
