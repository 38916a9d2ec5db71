"""Distance from the truth against training time and parameters, for each model of a density."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.scales import log_axis
from odestudy.figures.style import FAINT, canvas, legend_below, points_with_interval
from odestudy.figures.words import counted, estimate, in_order, sentence

SHOWS = {
    "title": "Distance from the truth against training time and number of parameters",
    "tables": ["density_models", "density_time", "density_curve"],
}

TABLE, CURVE, TIME = "density_models", "density_curve", "density_time"
MOST_TARGETS = 3


def draw(data: FigureData) -> Figure:
    table, summary = _rows(data, ""), _rows(data, "_summary")
    targets, styles = in_order(summary, "target"), data.looks(in_order(table, "model"), "model")
    figure, grid = canvas(len(targets), 2, height=2.7, sharey="row")
    for row, target in zip(grid, targets, strict=True):
        for axes, column in zip(row, ("train_s", "parameters"), strict=True):
            for model, style in styles.items():
                runs, means = (f[(f["target"] == target) & (f["model"] == model)] for f in (table, summary))
                _model(axes, runs, means, column, style)
            log_axis(axes, "x")
            axes.set_xlabel("training time (s)" if column == "train_s" else data.axis(column))
        log_axis(row[0], "y")
        row[0].set_ylabel(f"NLL − entropy (nat)\n{data.label(target)}")
    handles = [Line2D([], [], **style | {"linestyle": "none"}) for style in styles.values()]
    handles += [
        Line2D([], [], color="0.3", marker="o", linestyle="none", label="equal parameters"),
        Line2D(
            [],
            [],
            color="0.3",
            marker="o",
            fillstyle="none",
            linestyle="none",
            label="equal time",
        ),
    ]
    legend_below(figure, handles, columns=4)
    return figure


def _model(axes: Axes, runs: pd.DataFrame, means: pd.DataFrame, column: str, style: dict[str, Any]) -> None:
    plain = {k: v for k, v in style.items() if k not in ("label", "linestyle")}
    curve = means[means["budget"] == "reference"].sort_values("iterations")
    axes.plot(curve[column], curve["excess_nat"], color=style["color"], linewidth=0.9)
    for budget in in_order(means, "budget"):
        look = plain | ({"fillstyle": "none"} if budget == "time" else {})
        rows, seeds = means[means["budget"] == budget], runs[runs["budget"] == budget]
        axes.plot(
            seeds[column], seeds["excess_nat"], linestyle="none", **look | {"markersize": 2.5, "alpha": FAINT}
        )
        interval = [rows[f"excess_nat{end}"] for end in ("", "_low", "_high")]
        points_with_interval(axes, rows[column], *interval, **look)


def caption(data: FigureData) -> str:
    summary = _rows(data, "_summary")
    target = in_order(summary, "target")[0]
    rows = (
        summary[summary["target"] == target]
        .dropna(subset=["excess_nat"])
        .sort_values("excess_nat", kind="stable")
    )
    nearest, farthest = (_said(data, row) for _, row in rows.iloc[[0, -1]].iterrows())
    flow = rows[rows["budget"] == "reference"]
    beside = f"; the flow's own nearest is {_said(data, flow.iloc[0])}" if len(flow) else ""
    missed = int(data.table(TIME)["equal_time"].astype(str).eq("False").sum())
    far = f", farthest {farthest}" if len(rows) > 1 else ""
    text = sentence(
        f"on the {data.label(target)} nearest to the truth is {nearest}{far}{beside} (NLL minus the true entropy)"
    )
    left_out = (
        f"Left out, as the time was missed by more than a tenth: {counted(missed, 'training')}. "
        if missed
        else ""
    )
    return (
        f"{text} Small points: single seeds; bars: 95 % interval. The flow's line joins trainings of different length. Hollow: "
        "trained one after the other, alone on the machine, each for as long as the flow among them; the other times are "
        f"those of trainings beside other jobs. {left_out}"
        "A kernel estimate counts the numbers that it keeps, a mixture its weights, means and covariances."
    )


def _said(data: FigureData, row: pd.Series) -> str:
    """A model, its budget and its distance from the truth."""
    what = {"parameters": "equal parameters", "time": "equal time"}.get(row["budget"])
    budget = what or f"{row['iterations']:.0f} training steps"
    return f"the {data.label(row['model'])} ({budget}) with {estimate(data, row, 'excess_nat')}"


def alt(data: FigureData) -> str:
    return (
        "Two scatter plots with logarithmic axes, the distance from the truth against the training time and against "
        "the number of parameters, filled markers at equal parameters, hollow ones at equal time."
    )


def _rows(data: FigureData, name: str) -> pd.DataFrame:
    """The rows of targets whose baselines were also fitted in the flow's time, and the flow's own at all lengths."""
    time = data.table(f"{TIME}{name}")
    if time.empty or not (equal := time["equal_time"].astype(str).eq("True")).any():
        raise NothingToShow("no baseline was trained for as long as the flow")
    time = (
        time[equal].rename(columns=lambda column: column.replace("spent_s", "train_s")).assign(budget="time")
    )
    table = data.table(f"{TABLE}{name}")
    curve = data.table(f"{CURVE}{name}").assign(budget="reference")
    both = pd.concat([curve, table[table["budget"] == "parameters"], time], ignore_index=True)
    return both[both["target"].isin(in_order(time, "target")[:MOST_TARGETS])]
