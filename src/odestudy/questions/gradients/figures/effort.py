"""Work and time of the arms over those of back-propagation."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.analysis.selecting import is_ok
from odestudy.analysis.values import chosen
from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import line_handles
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas
from odestudy.figures.words import in_order, number, sentence

SHOWS = {
    "title": "Does the adjoint reduce computation",
    "tables": ["gradients_tolerance", "gradients_compare"],
}
BY_PROBLEM, COMPARED = "gradients_tolerance", "gradients_compare"
ARM = "adjoint"
SHOWN = (
    "adjoint",
    "adjoint_seminorm",
    "torchdiffeq_adjoint",
    "checkpointed",
    "reversible",
)  # the table has all
MOST_PROBLEMS = 5


def draw(data: FigureData) -> Figure:
    work, compared = _work(data), _compared(data)
    figure, grid = canvas(1, 2, height=3.0)
    left, right = grid[0]
    problems = data.looks(_problems(work), "problem")
    for problem, style in problems.items():
        rows = work[work["problem"] == problem].sort_values("rtol")
        left.plot(rows["rtol"], rows["ratio"], **style | {"markersize": 4})
    left.set(
        title="adjoint: evaluations and products", xlabel=data.axis("rtol"), ylabel="over back-propagation"
    )
    arms = data.looks([arm for arm in in_order(compared, "arm") if arm in SHOWN], "arm")
    places = {k: i for i, k in enumerate(dict.fromkeys(zip(compared["size"], compared["rtol"], strict=True)))}
    for shift, (arm, style) in enumerate(arms.items()):
        mine = compared[compared["arm"] == arm]
        for (size, rtol), rows in mine.groupby(["size", "rtol"], sort=False):
            at = places[size, rtol] + 0.16 * (shift - (len(arms) - 1) / 2)
            right.plot(
                [at] * len(rows),
                rows["ratio"],
                **style | {"linestyle": "none", "markersize": 4, "alpha": 0.8},
            )
    right.set_xticks(list(places.values()), [f"{size}\n{chosen(rtol)}" for size, rtol in places])
    right.set(title="time", xlabel="net and tolerance", ylabel="over back-propagation")
    for axes in grid[0]:
        axes.axhline(1, color="black", linewidth=0.8)
        log_axis(axes, "y")
    left.set_xscale("log")
    log_axis(left, "x")
    _legend(left, line_handles(problems))
    _legend(right, line_handles({arm: style | {"linestyle": "none"} for arm, style in arms.items()}))
    return figure


def _problems(work: pd.DataFrame) -> list[str]:
    """Those on which the adjoint came through at most tolerances, five of them at most; the table has all."""
    runs = work.groupby("problem", sort=False).size().sort_values(ascending=False, kind="stable")
    most = set(runs.index[:MOST_PROBLEMS])
    return [problem for problem in in_order(work, "problem") if problem in most]


def _legend(axes: Axes, handles: list[Line2D]) -> None:
    """Below the panel that it belongs to."""
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.28), ncols=2, frameon=False)


def caption(data: FigureData) -> str:
    work, compared = _work(data), _compared(data)
    ordered = work.sort_values("ratio", kind="stable")
    least, most = ordered.iloc[0], ordered.iloc[-1]
    time = compared[compared["arm"] == ARM].groupby(["size", "rtol"], sort=False)["ratio"].median()
    size, rtol = dict(enumerate(time.index))[int(time.to_numpy().argmin())]
    cheaper = (
        "nowhere" if least["ratio"] >= 1 else f"on {data.label(least['problem'])} at {chosen(least['rtol'])}"
    )
    text = sentence(
        f"the adjoint takes {number(least['ratio'])} ({data.label(least['problem'])}, {chosen(least['rtol'])}) to "
        f"{number(most['ratio'])} times ({data.label(most['problem'])}, {chosen(most['rtol'])}) the evaluations and products of "
        f"back-propagation, so fewer {cheaper}; its time is least, {number(time.min())} times, with the {size} net at "
        f"{chosen(rtol)}"
    )
    return f"{text} Points: initialisations, timed in one process of one machine. Where memory runs out, a ratio above one may still be the way to train at all."


def alt(data: FigureData) -> str:
    return (
        "Left the adjoint's work over that of back-propagation against the tolerance, a line for each problem; right "
        "the ratios of time by net and tolerance, a column of points for each arm."
    )


def _work(data: FigureData) -> pd.DataFrame:
    table = data.table(BY_PROBLEM)
    if table.empty or "work" not in table:
        raise NothingToShow("no gradient was measured")
    table = table[is_ok(table)]
    base = table[table["arm"] == "backprop"].set_index(["problem", "rtol"])["work"]
    mine = table[table["arm"] == ARM].copy()
    mine["ratio"] = (
        mine["work"].to_numpy() / base.loc[list(zip(mine["problem"], mine["rtol"], strict=True))].to_numpy()
    )
    return mine


def _compared(data: FigureData) -> pd.DataFrame:
    table = data.table(COMPARED)
    if table.empty or "wall_s" not in table:
        raise NothingToShow("no gradient was timed")
    keys = ["seed", "size", "rtol"]
    base = table[table["arm"] == "backprop"].set_index(keys)["wall_s"]
    mine = table[table["arm"] != "backprop"].dropna(subset=["wall_s"]).copy()
    mine["ratio"] = (
        mine["wall_s"].to_numpy() / base.loc[list(mine[keys].itertuples(index=False, name=None))].to_numpy()
    )
    return mine
