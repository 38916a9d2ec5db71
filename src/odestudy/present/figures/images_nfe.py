"""Four panels of evaluations: by tolerance, in time, backward against forward, over the epochs (Chen et al., fig. 3)."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from odestudy.present.figures.base import FigureData, NothingToShow
from odestudy.present.figures.curves import draw_curve
from odestudy.present.figures.lines import draw_line, line_handles
from odestudy.present.figures.scales import log_axis
from odestudy.present.figures.solvers import solver_name
from odestudy.present.figures.style import GREY, canvas, legend_below, looks
from odestudy.present.figures.words import estimate, failures, from_to, in_order, listing, number, sentence

SWEEP, EPOCHS = "images_sweep", "images_epochs"


def draw(data: FigureData) -> Figure:
    swept, epochs = _swept(data), _epochs(data)
    solvers, arms = looks(in_order(swept, "test_method")), looks(in_order(epochs, "arm"))
    solvers = {name: look | {"label": solver_name(data, name)} for name, look in solvers.items()}
    arms = {name: look | {"label": data.label(name)} for name, look in arms.items()}
    figure, grid = canvas(2, 2, height=2.5)
    means = _summary(data)
    _by_tolerance(data, grid[0, 0], means, solvers)
    _in_time(data, grid[0, 1], means, solvers)
    _backward(data, grid[1, 0], means, solvers)
    _over_epochs(data, grid[1, 1], epochs, arms)
    legend_below(figure, line_handles(solvers | arms), columns=2)
    return figure


def _by_tolerance(data: FigureData, axes: Axes, means: pd.DataFrame, styles: dict[str, Any]) -> None:
    for name, look in styles.items():
        draw_line(axes, means[means["test_method"] == name], "tolerance", "nfe_forward", look)
    log_axis(axes, "x")
    log_axis(axes, "y")
    axes.invert_xaxis()
    axes.set(xlabel=data.axis("tolerance"), ylabel=data.axis("nfe_forward"), title="a  tolerance")


def _in_time(data: FigureData, axes: Axes, means: pd.DataFrame, styles: dict[str, Any]) -> None:
    for name, look in styles.items():
        rows = means[means["test_method"] == name].dropna(subset=["forward_s"])
        axes.plot(rows["nfe_forward"], rows["forward_s"], **look | {"linestyle": "none"})
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set(xlabel=data.axis("nfe_forward"), ylabel="forward pass (s)", title="b  time")


def _backward(data: FigureData, axes: Axes, means: pd.DataFrame, styles: dict[str, Any]) -> None:
    for name, look in styles.items():
        rows = means[means["test_method"] == name].dropna(subset=["nfe_backward"])
        axes.plot(rows["nfe_forward"], rows["nfe_backward"], **look | {"linestyle": "none"})
    most = float(means["nfe_forward"].max())
    for slope, words in ((1.0, "equal"), (0.5, "half")):
        axes.plot([0, most], [0, slope * most], color=GREY, linewidth=0.9, zorder=0)
        axes.annotate(
            words, (most, slope * most), color=GREY, fontsize=8, ha="right", va="bottom", zorder=0,
            textcoords="offset points", xytext=(0, 3), bbox={"color": "white", "pad": 0.5},
        )  # fmt: skip
    axes.set(xlabel=data.axis("nfe_forward"), ylabel=data.axis("nfe_backward"), title="c  backward")


def _over_epochs(data: FigureData, axes: Axes, epochs: pd.DataFrame, styles: dict[str, Any]) -> None:
    means = data.table(f"{EPOCHS}_summary")
    dataset = epochs["dataset"].iloc[0]
    for arm, look in styles.items():
        runs, shown = (f[(f["dataset"] == dataset) & (f["arm"] == arm)] for f in (epochs, means))
        draw_curve(axes, runs, shown, "nfe_forward", look)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set(xlabel=data.axis("epoch"), ylabel="NFE forward a step", title="d  training")


def caption(data: FigureData) -> str:
    swept, epochs, means = _swept(data), _epochs(data), _summary(data)
    said = [_said(data, name, means[means["test_method"] == name]) for name in in_order(swept, "test_method")]
    summary = data.table(f"{EPOCHS}_summary")
    dataset = epochs["dataset"].iloc[0]
    trend = [
        _trend(data, arm, summary[(summary["arm"] == arm) & (summary["dataset"] == dataset)])
        for arm in in_order(epochs, "arm")
    ]
    first = f"an ODE-Net trained on {data.label(swept['dataset'].iloc[0])}, {'; '.join(said)}"
    second = f"over the epochs on {data.label(dataset)}, {'; '.join(trend)} forward evaluations a step"
    lost = failures(data, swept, ["test_method"], "left out of the means")
    return f"{sentence(first)} {sentence(second)} {lost}"


def _said(data: FigureData, name: str, rows: pd.DataFrame) -> str:
    rows = rows.dropna(subset=["nfe_forward"]).sort_values("tolerance", ascending=False)
    if rows.empty:
        return f"{solver_name(data, name)}: no value"
    ends = rows.iloc[[0, -1]]
    way = from_to(data, "nfe_forward", ends["nfe_forward"].iloc[0], ends["nfe_forward"].iloc[1])
    share = rows["nfe_backward"] / rows["nfe_forward"]
    return (
        f"{solver_name(data, name)}: {way} forward evaluations from tolerance {number(ends['tolerance'].iloc[0])} to "
        f"{number(ends['tolerance'].iloc[1])}, backward {number(share.min())} to {number(share.max())} times as many"
    )


def _trend(data: FigureData, arm: str, rows: pd.DataFrame) -> str:
    ends = rows.sort_values("epoch").iloc[[0, -1]]
    return f"{data.label(arm)} from {estimate(data, ends.iloc[0], 'nfe_forward', 3)} to {estimate(data, ends.iloc[1], 'nfe_forward', 3)}"


def alt(data: FigureData) -> str:
    return (
        "Four plots: evaluations of the forward pass against the tolerance, time of the forward pass against its "
        "evaluations, evaluations of the backward pass against those of the forward pass with lines for equal and half, "
        f"and evaluations over the epochs, for {listing(solver_name(data, n) for n in in_order(_swept(data), 'test_method'))}."
    )


def _swept(data: FigureData) -> pd.DataFrame:
    """The adaptive solvers of the sweep, on its last data set."""
    return _last(data.table(SWEEP))


def _summary(data: FigureData) -> pd.DataFrame:
    return _last(data.table(f"{SWEEP}_summary"))


def _last(table: pd.DataFrame) -> pd.DataFrame:
    if table.empty or table["tolerance"].isna().all():
        raise NothingToShow("no ODE-Net was swept over tolerances")
    table = table[table["dataset"] == table["dataset"].iloc[-1]]
    return table[table["tolerance"].notna()]


def _epochs(data: FigureData) -> pd.DataFrame:
    """Without the arms that integrate nothing, or with fixed steps."""
    table = data.table(EPOCHS)
    moving = set() if table.empty else set(table.loc[table["nfe_forward"] > 0, "arm"]) - {"walkthrough"}
    if not moving:
        raise NothingToShow("no run of an ODE-Net with an adaptive solver")
    return table[table["arm"].isin(moving)]
