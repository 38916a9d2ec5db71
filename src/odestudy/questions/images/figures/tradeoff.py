"""Test error against the time of the test, by tolerance and by step, of nets that are trained once."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import line_handles
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import (
    estimate,
    failures,
    in_order,
    listing,
    number,
    seeds_and_bars,
    sentence,
)
from odestudy.questions.images.figures._solvers import solver_name, trained_for

SHOWS = {"title": "Error against time at test time, without training again", "tables": ["images_sweep"]}

TABLE = "images_sweep"
COLUMNS = ["eval_s", "eval_nfe"]


def draw(data: FigureData) -> Figure:
    table, summary = _frames(data)
    datasets = in_order(table, "dataset")
    styles = {
        name: look | {"label": solver_name(data, name)}
        for name, look in data.looks(in_order(table, "test_method"), "test_method").items()
    }
    figure, grid = canvas(len(datasets), 2, height=2.7, sharey="row")
    for row, dataset in zip(grid, datasets, strict=True):
        for axes, column in zip(row, ("time", "refinement"), strict=True):
            for name, look in styles.items():
                rows = summary[(summary["dataset"] == dataset) & (summary["test_method"] == name)]
                _line(axes, rows, column, look)
            log_axis(axes, "x")
        row[0].set(xlabel=data.axis("eval_s"), ylabel=data.axis("test_error_pct"))
        row[1].set(xlabel="step, or tolerance")
        row[1].invert_xaxis()
        if len(datasets) > 1:
            row[0].set_title(data.label(dataset, "dataset"))
    legend_below(figure, line_handles(styles))
    return figure


def _line(axes: Axes, rows: pd.DataFrame, column: str, look: dict[str, Any]) -> None:
    rows = rows.dropna(subset=["test_error_pct"]).assign(
        refinement=lambda r: r["test_step"].fillna(r["tolerance"]), time=lambda r: r["eval_s"]
    )
    rows = rows.sort_values("refinement")
    bars = [(rows["test_error_pct"] - rows["test_error_pct_low"]).fillna(0).clip(lower=0)]
    bars.append((rows["test_error_pct_high"] - rows["test_error_pct"]).fillna(0).clip(lower=0))
    axes.errorbar(rows[column], rows["test_error_pct"], yerr=bars, elinewidth=0.6, capsize=1.5, **look)


def caption(data: FigureData) -> str:
    table, summary = _frames(data)
    said = []
    for dataset in in_order(table, "dataset"):
        rows = summary[(summary["dataset"] == dataset) & summary["tolerance"].notna()]
        for name in in_order(rows, "test_method"):
            mine = rows[(rows["test_method"] == name)].dropna(subset=["eval_s"]).sort_values("tolerance")
            if len(mine) > 1:
                loose, tight = mine.iloc[-1], mine.iloc[0]
                spread = mine["test_error_pct"].max() - mine["test_error_pct"].min()
                said.append(
                    f"with {solver_name(data, name)}, the net {trained_for(data, mine)}, over all tolerances the error changes by "
                    f"{number(spread)} points at most, and the time by a factor of "
                    f"{number(mine['eval_s'].max() / mine['eval_s'].min())}: {estimate(data, loose, 'test_error_pct')} in "
                    f"{number(loose['eval_s'])} s at tolerance {number(loose['tolerance'])}, "
                    f"{estimate(data, tight, 'test_error_pct')} in {number(tight['eval_s'])} s at {number(tight['tolerance'])}"
                )
    bars = seeds_and_bars(data, table, summary, ["test_error_pct"], points=False)
    lost = failures(data, table, ["dataset", "test_method"], "left out of the means")
    return f"{sentence('; '.join(said) or 'no adaptive solver')} {bars} {lost}"


def alt(data: FigureData) -> str:
    table, _ = _frames(data)
    return (
        "Two line plots of the test error, left against the time of the test, right against step or tolerance, with "
        f"a curve for {listing(solver_name(data, n) for n in in_order(table, 'test_method'))}."
    )


def _frames(data: FigureData) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = data.table(TABLE)
    if table.empty or "test_error_pct" not in table:
        raise NothingToShow("no trained net was tested under other solvers")
    return table, data.table(f"{TABLE}_summary")
