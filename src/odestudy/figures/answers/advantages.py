"""Accuracy for time, and memory against steps."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odestudy.analysis.facts import Facts
from odestudy.analysis.peaks import growth
from odestudy.analysis.values import number
from odestudy.figures.answers.chart import Panel, Point, Series, points
from odestudy.figures.answers.look import OTHER, OWN, THIRD, beside_end, canvas, message
from odestudy.figures.base import NothingToShow
from odestudy.figures.scales import ticks_at

SETS = {"mnist": "MNIST", "digits": "digits"}
# Solver -> its name, its colour, and where its words stand beside a point.
METHODS = {"euler": ("Euler", OTHER, (6, 5)), "rk4": ("RK4", OWN, (-2, -14))}
NETS = {"odenet_backprop": ("by back-propagation", OTHER), "resnet6": ("residual net", THIRD), "odenet_adjoint": ("by the adjoint", OWN)}  # fmt: skip


def draw(f: Facts) -> tuple[Figure, str, tuple[Panel, ...]]:
    """A panel for each of the two advantages."""
    sweep, cost = _best(f, "images_sweep_summary"), f.table("images_depths_summary")
    if cost.empty:
        cost = _best(f, "images_cost_summary")
    if sweep.empty or cost.empty:
        raise NothingToShow("no net was tested with several steps at this tier")
    figure, (upper, lower) = canvas(2, height=4.6)
    (traded, times), (kept, memory) = _trade(upper, sweep), _memory(lower, cost)
    message(figure, _says(f))
    return figure, f"{traded} {kept}", (times, memory)


def _says(f: Facts) -> str:
    flat = "memory stays flat with the adjoint" if growth(f).supported else "memory against steps"
    return f"Fewer steps save time after training; {flat}"


def _best(f: Facts, table: str) -> pd.DataFrame:
    """The rows on the larger of the data sets that were measured."""
    rows = f.table(table)
    return next((found for name in SETS if not (found := f.rows(table, dataset=name)).empty), rows.iloc[:0])


def _trade(axes: Axes, sweep: pd.DataFrame) -> tuple[str, Panel]:
    said, series, top, left, right = [], [], 0.0, math.inf, 0.0
    data = SETS[str(sweep["dataset"].iloc[0])]
    for method, (name, colour, beside) in METHODS.items():
        solved = sweep[sweep["test_method"] == method].dropna(subset=["eval_s", "test_error_pct"])
        solved = solved.sort_values("test_step", ascending=False)
        if solved.empty:
            continue
        seconds, errors, steps = solved["eval_s"], solved["test_error_pct"], (1 / solved["test_step"]).round()
        axes.plot(seconds, errors, color=colour, marker="o")
        for x, y, n in zip(seconds, errors, steps, strict=True):
            text = f"{name}, {n:.0f} step{'s' * (n > 1)}" if n == steps.iloc[0] else f"{n:.0f}"
            axes.annotate(text, (x, y), beside, textcoords="offset points", color=colour, fontsize=9)
        series.append(Series(f"{name} steps", colour, _steps(solved)))
        said.append(
            f"{name}, {number(errors.iloc[0])} % with {steps.iloc[0]:.0f} step{'s' * int(steps.iloc[0] > 1)}, "
            f"{number(errors.iloc[-1])} % with {steps.iloc[-1]:.0f}"
        )
        top, left, right = max(top, errors.max()), min(left, seconds.min()), max(right, seconds.max())
    if not series:
        raise NothingToShow("no net was tested with several steps at this tier")
    room = (right - left) or right
    axes.set_xlim(left - 0.1 * room, right + 0.2 * room)  # on the right for the last word
    axes.set_ylim(bottom=0, top=1.3 * top)
    panel = Panel(
        "lines", "one trained net, solved by fixed steps", tuple(series), "%",
        f"time to classify the test images of {data} (s)", "test error (%)",
    )  # fmt: skip
    _named(axes, panel)
    return f"Above: test error of one trained net on {data} against time; {'; '.join(said)}.", panel


def _steps(solved: pd.DataFrame) -> tuple[Point, ...]:
    """Each number of steps at the time that it takes."""
    found = points(solved, "test_error_pct", x="eval_s", at="{} s")
    counts = (f"{n:.0f} step{'s' * (n > 1)}" for n in (1 / solved["test_step"]).round())
    return tuple(replace(p, at=f"{n}, {p.at}", label=n) for p, n in zip(found, counts, strict=True))


def _named(axes: Axes, panel: Panel) -> None:
    axes.set_title(panel.title, loc="left")
    axes.set_xlabel(panel.x)
    axes.set_ylabel(panel.y)


def _memory(axes: Axes, cost: pd.DataFrame) -> tuple[str, Panel]:
    said, series = [], []
    for arm, (name, colour) in NETS.items():
        mine = cost[(cost["arm"] == arm) & cost["steps"].notna()].sort_values("steps")
        if mine.empty:
            continue
        axes.plot(mine["steps"], mine["peak_mib"], color=colour, marker="o")
        last = mine.iloc[-1]
        label = f"{name}: {number(last['peak_mib'])} MiB"
        beside_end(axes, last["steps"], last["peak_mib"], label, colour)
        series.append(
            Series(name, colour, points(mine, "peak_mib", x="steps", at="{} steps or blocks"), label)
        )
        said.append(f"{name} {number(last['peak_mib'])} MiB")
    axes.set_xscale("log")
    ticks_at(axes, sorted(set(cost["steps"].dropna())))
    axes.set_xlim(right=30 * cost["steps"].max())
    axes.set_ylim(bottom=0)
    panel = Panel(
        "lines", "memory of the process in a training step", tuple(series), "MiB", "solver steps, or blocks", "peak (MiB)",
        ("x",),
    )  # fmt: skip
    _named(axes, panel)
    most = number(cost["steps"].max())
    return f"Below: peak memory against steps, with {most} steps or blocks {', '.join(said)}.", panel
