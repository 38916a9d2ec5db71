"""Test error by arm, with the number of parameters beside each name."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.dots import Dots, categories, draw_dots, failed_handle
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import (
    counted,
    estimate,
    failures,
    in_order,
    listing,
    number,
    seeds_and_bars,
    sentence,
)

SHOWS = {"title": "Test error by arm", "tables": ["images_accuracy"]}

TABLE = "images_accuracy"
COLUMN = "test_error_pct"
FAR_APART = 20  # largest over smallest error from which on they are drawn on a log scale
ODE_NET, BESIDE = "odenet_adjoint", ("resnet6", "resnet1", "perceptron")


def draw(data: FigureData) -> Figure:
    table, summary = _table(data), data.table(f"{TABLE}_summary")
    datasets, styles = in_order(table, "dataset"), data.looks(in_order(table, "arm"), "arm")
    figure, grid = canvas(1, len(datasets), height=0.75 + 0.4 * len(styles), sharey=True)
    marked = False
    for axes, dataset in zip(grid[0], datasets, strict=True):
        runs, means = (frame[frame["dataset"] == dataset] for frame in (table, summary))
        lines = [
            Dots(i - 0.1, runs[runs["arm"] == arm], means[means["arm"] == arm], look)
            for i, (arm, look) in enumerate(styles.items())
        ]
        marked |= draw_dots(axes, lines, COLUMN, seeds_below=0.25)
        axes.set_xlabel(data.axis(COLUMN))
        errors = runs[COLUMN].dropna()
        if len(errors) and errors.min() > 0 and errors.max() > FAR_APART * errors.min():
            axes.set_xlim(errors.min() / 2, 1.3 * errors.max())
            log_axis(axes, "x")
        else:
            axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
        categories(axes, [_name(data, arm, summary) for arm in styles])
        if len(datasets) > 1:
            axes.set_title(data.label(dataset, "dataset"))
    if marked:
        legend_below(figure, [failed_handle()])
    return figure


def caption(data: FigureData) -> str:
    table, summary = _table(data), data.table(f"{TABLE}_summary")
    said = []
    for dataset in in_order(table, "dataset"):
        means = summary[summary["dataset"] == dataset].sort_values(COLUMN, kind="stable")
        arms = [f"{data.label(row['arm'])} {estimate(data, row, COLUMN)}" for _, row in means.iterrows()]
        images = table.loc[table["dataset"] == dataset, "test_images"].dropna()
        size = f" ({counted(int(images.iloc[0]), 'image')})" if len(images) else ""
        where = data.label(dataset, "dataset")
        said.append(
            f"{_multiples(data, means, where)}Test error on {where}{size}, the smallest first: {'; '.join(arms)}"
        )
    text = " ".join(map(sentence, said))
    return (
        f"{text} {seeds_and_bars(data, table, summary, [COLUMN])} {failures(data, table, ['dataset', 'arm'])}"
    )


def _multiples(data: FigureData, means: pd.DataFrame, where: str) -> str:
    """The ODE-Net's error as a multiple of those that it is compared with."""
    errors = means.dropna(subset=[COLUMN]).set_index("arm")[COLUMN]
    if ODE_NET not in errors:
        return ""
    beside = [arm for arm in BESIDE if errors.get(arm, 0) > 0]
    times = [f"{number(errors[ODE_NET] / errors[arm])} times that of {data.label(arm)}" for arm in beside]
    return f"On {where} the test error of {data.label(ODE_NET)} is {listing(times)}. " if times else ""


def alt(data: FigureData) -> str:
    table = _table(data)
    return (
        f"Dot plot of the test error for {listing(data.label(d, 'dataset') for d in in_order(table, 'dataset'))}, from top to "
        f"bottom {listing(map(data.label, in_order(table, 'arm')))}; large markers, "
        "and small ones for the single seeds."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("no training run")
    return table


def _name(data: FigureData, arm: str, summary: pd.DataFrame) -> str:
    """Label and, on a second line, the number of parameters (several where data sets differ)."""
    counts = dict.fromkeys(int(n) for n in summary.loc[summary["arm"] == arm, "parameters"].dropna())
    if not counts:
        return data.label(arm)
    return f"{data.label(arm)}\n{' or '.join(f'{n:,}'.replace(',', ' ') for n in counts)} parameters"
