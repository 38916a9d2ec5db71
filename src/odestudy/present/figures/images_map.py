"""Trained with one solver, tested with another: the error as a map, and whether each net passes the gate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from odestudy.present.figures.base import FigureData, NothingToShow
from odestudy.present.figures.solvers import solver_name, step_name
from odestudy.present.figures.style import canvas
from odestudy.present.figures.words import failures, in_order, listing, number, sentence
from odestudy.present.selecting import is_ok

CROSS, NETS = "images_cross", "images_nets"
FLOOR_PCT = 0.1  # colours start here; an error of nothing has no logarithm


def draw(data: FigureData) -> Figure:
    cross, summary = _frames(data)
    datasets = in_order(cross, "dataset")
    rows = len(in_order(cross, "solver"))
    figure, grid = canvas(len(datasets), 1, height=1.9 + 0.24 * rows)
    for axes, dataset in zip(grid[:, 0], datasets, strict=True):
        mine = summary[summary["dataset"] == dataset]
        trained, tests = in_order(mine, "solver"), _tests(mine)
        values = np.array([[_error(mine, solver, test) for test in tests] for solver in trained])
        image = axes.imshow(
            np.maximum(values, FLOOR_PCT), aspect="auto", cmap="cividis", norm=LogNorm(FLOOR_PCT, 100)
        )
        for i, j in np.argwhere(np.isfinite(values)):
            dark = values[i, j] > 5
            text = f"{values[i, j]:.0f}" if values[i, j] >= 9.95 else f"{values[i, j]:.1f}"
            axes.text(j, i, text, ha="center", va="center", fontsize=6.5, color="black" if dark else "white")
        _mark_own(axes, data, trained, tests)
        axes.set_xticks(range(len(tests)), [_name(data, test) for test in tests], rotation=90, fontsize=7)
        axes.set_yticks(
            range(len(trained)), [f"{data.label(s)}   {_gate(data, dataset, s)}" for s in trained], fontsize=7
        )
        axes.grid(False)
        axes.set(xlabel="solver in the test", ylabel="solver in training")
        for edge in _families(tests):
            axes.axvline(edge - 0.5, color="white", linewidth=1.5)
        figure.colorbar(image, ax=axes, label=data.axis("test_error_pct"), shrink=0.8)
        if len(datasets) > 1:
            axes.set_title(data.label(dataset))
    return figure


def _tests(summary: pd.DataFrame) -> list[tuple[str, float, float]]:
    keys = summary[["test_method", "test_step", "tolerance"]].drop_duplicates()
    return [(m, s, t) for m, s, t in keys.itertuples(index=False)]


def _families(tests: list[tuple[str, float, float]]) -> list[int]:
    return [i for i in range(1, len(tests)) if tests[i][0] != tests[i - 1][0]]


def _name(data: FigureData, test: tuple[str, float, float]) -> str:
    method, step, tolerance = test
    return f"{solver_name(data, method)} {f'{tolerance:g}' if np.isnan(step) else step_name(step)}"


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


def _gate(data: FigureData, dataset: str, solver: str) -> str:
    """ODE where most seeds' nets pass the gate."""
    nets = data.table(NETS)
    rows = nets[(nets["dataset"] == dataset) & (nets["solver"] == solver) & is_ok(nets)]
    if rows.empty:
        return "failed"
    return "ODE" if rows["is_ode"].astype(str).eq("True").mean() > 0.5 else "discrete net"


def caption(data: FigureData) -> str:
    cross, _ = _frames(data)
    said = []
    for dataset in in_order(cross, "dataset"):
        names = in_order(cross[cross["dataset"] == dataset], "solver")
        verdicts = {name: _gate(data, dataset, name) for name in names}
        discrete = [data.label(name) for name, verdict in verdicts.items() if verdict == "discrete net"]
        which = f"discrete nets by the refinement gate are those trained with {listing(discrete)}" if discrete else (
            "every net passes the refinement gate"
        )  # fmt: skip
        said.append(f"on {data.label(dataset)}, {which}")
    seeds = int(cross["seed"].nunique())
    gate = data.table(NETS)["gate_pct"].dropna()
    limit = f"less than {number(float(gate.iloc[0]))} %" if len(gate) else "little"
    lost = failures(data, cross, ["dataset", "solver"], "left out of the means")
    return (
        f"{sentence('; '.join(said))} Test error in percent, mean over {seeds} seeds; framed: the solver of training. The "
        f"gate: halving the step, or a tolerance a hundredth as large, changes the accuracy by {limit}, for most seeds. {lost}"
    )


def alt(data: FigureData) -> str:
    cross, _ = _frames(data)
    return (
        f"A map of the test error, a row for each solver in training, {listing(map(data.label, in_order(cross, 'solver')))}, "
        "and a column for each solver in the test."
    )


def _frames(data: FigureData) -> tuple[pd.DataFrame, pd.DataFrame]:
    cross = data.table(CROSS)
    if cross.empty or "test_error_pct" not in cross:
        raise NothingToShow("no net was trained with one solver and tested with another")
    return cross, data.table(f"{CROSS}_summary")
