"""Trained with one solver, tested with another: the error as a map, and whether each net passes the gate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from odestudy.analysis.values import chosen
from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.style import canvas
from odestudy.figures.words import counted, failures, in_order, listing, number, sentence
from odestudy.questions.images.figures._solvers import solver_name, step_name

SHOWS = {"title": "Trained with one solver, tested with another", "tables": ["images_cross", "images_nets"]}

CROSS, NETS = "images_cross", "images_nets"
MOST_SAID = 6  # solvers; of more the map has to tell
FLOOR_PCT = 0.1  # colours start no lower; an error of nothing has no logarithm


def draw(data: FigureData) -> Figure:
    cross, summary = _frames(data)
    datasets = in_order(cross, "dataset")
    rows = len(in_order(cross, "solver"))
    figure, grid = canvas(len(datasets), 1, height=1.9 + 0.24 * rows)
    for axes, dataset in zip(grid[:, 0], datasets, strict=True):
        mine = summary[summary["dataset"] == dataset]
        trained, tests = in_order(mine, "solver"), _tests(mine)
        values = np.array([[_error(mine, solver, test) for test in tests] for solver in trained])
        floor = max(FLOOR_PCT, float(np.nanmin(values, initial=10.0)))
        image = axes.imshow(
            np.maximum(values, floor), aspect="auto", cmap="cividis", norm=LogNorm(floor, 100)
        )
        for i, j in np.argwhere(np.isfinite(values)):
            dark = values[i, j] > np.sqrt(floor * 100)
            text = f"{values[i, j]:.0f}" if values[i, j] >= 9.95 else f"{values[i, j]:.1f}"
            axes.text(j, i, text, ha="center", va="center", fontsize=6.5, color="black" if dark else "white")
        _mark_own(axes, data, trained, tests)
        axes.set_xticks(range(len(tests)), [_name(data, test) for test in tests], rotation=90, fontsize=7)
        axes.set_yticks(
            range(len(trained)),
            [f"{data.label(s)}   {_passes(data, dataset, s)}" for s in trained],
            fontsize=7,
        )
        axes.grid(False)
        axes.set(xlabel="solver in the test", ylabel="solver in training, nets that pass")
        for edge in _families(tests):
            axes.axvline(edge - 0.5, color="white", linewidth=1.5)
        figure.colorbar(image, ax=axes, label=data.axis("test_error_pct"), shrink=0.8)
        if len(datasets) > 1:
            axes.set_title(data.label(dataset, "dataset"))
    return figure


def _tests(summary: pd.DataFrame) -> list[tuple[str, float, float]]:
    keys = summary[["test_method", "test_step", "tolerance"]].drop_duplicates()
    return [(m, s, t) for m, s, t in keys.itertuples(index=False)]


def _families(tests: list[tuple[str, float, float]]) -> list[int]:
    return [i for i in range(1, len(tests)) if tests[i][0] != tests[i - 1][0]]


def _name(data: FigureData, test: tuple[str, float, float]) -> str:
    method, step, tolerance = test
    return f"{solver_name(data, method)} {chosen(tolerance) if np.isnan(step) else step_name(step)}"


def _error(summary: pd.DataFrame, solver: str, test: tuple[str, float, float]) -> float:
    rows = summary[(summary["solver"] == solver) & (summary["test_method"] == test[0])]
    for column, wanted in (("test_step", test[1]), ("tolerance", test[2])):
        rows = rows[rows[column].isna() if np.isnan(wanted) else rows[column] == wanted]
    return float(rows["test_error_pct"].iloc[0]) if len(rows) else np.nan


def _mark_own(axes: Any, data: FigureData, trained: list[str], tests: list[tuple[str, float, float]]) -> None:
    """A frame where training and test have the same solver; names end in the steps, or in the tolerance's digits."""
    names = {
        f"{m}_{round(1 / s) if not np.isnan(s) else round(-np.log10(t))}": j
        for j, (m, s, t) in enumerate(tests)
    }
    for i, solver in enumerate(trained):
        if solver in names:
            box = Rectangle(
                (names[solver] - 0.46, i - 0.46), 0.92, 0.92, fill=False, edgecolor="#D55E00", linewidth=1.8
            )
            axes.add_patch(box)


def _passes(data: FigureData, dataset: str, solver: str) -> str:
    """How many of the seeds' nets pass the gate; one that failed does not."""
    nets = data.table(NETS)
    rows = nets[(nets["dataset"] == dataset) & (nets["solver"] == solver)]
    passing = rows["is_ode"].astype(str).eq("True") if "is_ode" in rows else pd.Series(dtype=bool)
    return f"{int(passing.sum())} of {len(rows)}"


def _tightest(summary: pd.DataFrame) -> tuple[str, float, float]:
    """The adaptive solver of the test with the smallest tolerance."""
    row = summary.dropna(subset=["tolerance"]).sort_values("tolerance").iloc[0]
    return row["test_method"], np.nan, float(row["tolerance"])


def _outlasting(data: FigureData, dataset: str, summary: pd.DataFrame) -> str:
    """For each solver in training the error with it and with the tightest solver of the test."""
    nets = data.table(f"{NETS}_summary")
    nets = nets[(nets["dataset"] == dataset)].dropna(subset=["test_error_pct"])
    if summary["tolerance"].isna().all() or nets.empty or len(nets) > MOST_SAID:
        return ""
    tight = _tightest(summary)
    said = [
        f"{data.label(row['solver'])} {number(row['test_error_pct'])} and {number(_error(summary, row['solver'], tight))} %"
        for _, row in nets.iterrows()
    ]
    where = data.label(dataset, "dataset")
    return f"Test error on {where} as trained and with {_name(data, tight)}: {'; '.join(said)}."


def caption(data: FigureData) -> str:
    cross, summary = _frames(data)
    said, beside = [], []
    for dataset in in_order(cross, "dataset"):
        names = in_order(cross[cross["dataset"] == dataset], "solver")
        counts = [f"{data.label(name)} {_passes(data, dataset, name)}" for name in names]
        if len(counts) > MOST_SAID:
            whole = [name for name in names if len(set(_passes(data, dataset, name).split(" of "))) == 1]
            counts = [f"all seeds' with {len(whole)} of {counted(len(names), 'solver')}"]
        seeds = cross.loc[cross["dataset"] == dataset, "seed"].nunique()
        where = f"on {data.label(dataset, 'dataset')} ({counted(int(seeds), 'seed')}), nets that pass one refinement"
        said.append(f"{where}, by their solver in training: {'; '.join(counts)}")
        beside.append(_outlasting(data, dataset, summary[summary["dataset"] == dataset]))
    gate = data.table(NETS)["gate_pct"].dropna()
    limit = f"less than {number(float(gate.iloc[0]))} %" if len(gate) else "little"
    lost = failures(data, cross, ["dataset", "solver"], "left out of the means")
    return (
        f"{sentence('; '.join(said))} {' '.join(beside)} The gate: halving the step once, or a tolerance a hundredth as "
        f"large, changes the accuracy by {limit}; what passes it may still differ from the tightest solver. Map: test error "
        f"in percent, mean over the seeds; framed: the solver of training. {lost}"
    )


def alt(data: FigureData) -> str:
    cross, _ = _frames(data)
    maps = [
        f"of {data.label(dataset, 'dataset')}, a row for each solver in training, "
        f"{listing(map(data.label, in_order(cross[cross['dataset'] == dataset], 'solver')))}, "
        "and a column for each solver in the test"
        for dataset in in_order(cross, "dataset")
    ]
    return f"Maps of the test error: {'; '.join(maps)}."


def _frames(data: FigureData) -> tuple[pd.DataFrame, pd.DataFrame]:
    cross = data.table(CROSS)
    if cross.empty or "test_error_pct" not in cross:
        raise NothingToShow("no net was trained with one solver and tested with another")
    return cross, data.table(f"{CROSS}_summary")
