"""Four panels of evaluations: by tolerance, in time, backward against forward, over the epochs (Chen et al., fig. 3)."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles
from odestudy.figures.scales import log_axis
from odestudy.figures.style import GREY, canvas, legend_below
from odestudy.figures.words import estimate, failures, from_to, in_order, listing, number, sentence
from odestudy.questions.images.figures._curves import draw_curve
from odestudy.questions.images.figures._solvers import solver_name, trained_for

SHOWS = {
    "title": "Evaluations, time and training",
    "tables": ["images_sweep", "images_epochs", "images_accuracy"],
}

SWEEP, EPOCHS = "images_sweep", "images_epochs"


def draw(data: FigureData) -> Figure:
    swept, epochs = _swept(data.table(SWEEP)), _epochs(data)
    solvers = data.looks(in_order(swept, "test_method"), "test_method")
    solvers = {name: look | {"label": solver_name(data, name)} for name, look in solvers.items()}
    arms = data.looks(in_order(epochs, "arm"), "arm")
    means = _swept(data.table(f"{SWEEP}_summary"))
    panels = {(i, d): draw_one for i, draw_one in enumerate(SWEPT) for d in in_order(means, "dataset")}
    trained = {(len(SWEPT), d): _over_epochs for d in in_order(epochs, "dataset")}
    figure, places = _places([*panels, *trained])
    several = len({dataset for _, dataset in places}) > 1
    for (kind, dataset), axes in places.items():
        if kind < len(SWEPT):
            panels[kind, dataset](data, axes, means[means["dataset"] == dataset], solvers)
        else:
            _over_epochs(data, axes, epochs[epochs["dataset"] == dataset], arms)
        of = f", {data.label(dataset, 'dataset')}" if several else ""
        axes.set_title(f"{'abcd'[kind]}  {TITLES[kind]}{of}", fontsize=7.5 if len(places) > 4 else None)
    legend_below(figure, line_handles(solvers | arms), columns=2)
    return figure


def _places(panels: list[tuple[int, str]]) -> tuple[Figure, dict[tuple[int, str], Axes]]:
    """The panels in turn, two a row, so that two data sets stand side by side where both have all kinds."""
    figure, grid = canvas(-(-len(panels) // 2), 2, height=2.5 if len(panels) <= 4 else 2.1)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    return figure, dict(zip(panels, grid.flat, strict=False))


def _by_tolerance(data: FigureData, axes: Axes, means: pd.DataFrame, styles: dict[str, Any]) -> None:
    for name, look in styles.items():
        draw_line(axes, means[means["test_method"] == name], "tolerance", "nfe_forward", look)
    log_axis(axes, "x")
    log_axis(axes, "y")
    axes.invert_xaxis()
    axes.set(xlabel=data.axis("tolerance"), ylabel=data.axis("nfe_forward"))


def _in_time(data: FigureData, axes: Axes, means: pd.DataFrame, styles: dict[str, Any]) -> None:
    """With the intervals over seeds of both, where there are any."""
    for name, look in styles.items():
        rows = means[means["test_method"] == name].dropna(subset=["forward_s"])
        bars: dict[str, Any] = {
            f"{side}err": [
                (rows[c] - rows[f"{c}_low"]).fillna(0).clip(lower=0),
                (rows[f"{c}_high"] - rows[c]).fillna(0).clip(lower=0),
            ]
            for side, c in (("x", "nfe_forward"), ("y", "forward_s"))
        }
        shown = look | {"linestyle": "none", "elinewidth": 0.6, "capsize": 1.5}
        axes.errorbar(rows["nfe_forward"], rows["forward_s"], **bars, **shown)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set(xlabel=data.axis("nfe_forward"), ylabel="forward pass (s)")


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
    axes.set_ylim(top=1.2 * max(most, means["nfe_backward"].max()))  # room for the word
    axes.set(xlabel=data.axis("nfe_forward"), ylabel=data.axis("nfe_backward"))


def _over_epochs(data: FigureData, axes: Axes, epochs: pd.DataFrame, styles: dict[str, Any]) -> None:
    means = data.table(f"{EPOCHS}_summary")
    for arm, look in styles.items():
        runs = epochs[epochs["arm"] == arm]
        shown = means[means["dataset"].isin(runs["dataset"]) & (means["arm"] == arm)]
        draw_curve(axes, runs, shown, "nfe_forward", look)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set(xlabel=data.axis("epoch"), ylabel="NFE forward a step")


SWEPT = (_by_tolerance, _in_time, _backward)
TITLES = ("tolerance", "time", "backward", "training")


def caption(data: FigureData) -> str:
    swept, epochs, means = _swept(data.table(SWEEP)), _epochs(data), _swept(data.table(f"{SWEEP}_summary"))
    found = f"{_half(means)} {_growth(data, epochs)}"
    details = []
    for dataset in in_order(means, "dataset"):
        mine = means[means["dataset"] == dataset]
        said = [
            _said(data, name, mine[mine["test_method"] == name]) for name in in_order(mine, "test_method")
        ]
        details.append(f"an ODE-Net, {trained_for(data, mine)}, {'; '.join(said)}")
    untimed = [
        n
        for n in in_order(means, "test_method")
        if means.loc[means["test_method"] == n, "forward_s"].isna().all()
    ]
    names = listing(solver_name(data, name) for name in untimed) if untimed else ""
    time = f"{names} is not timed: its states are copied to SciPy and back." if untimed else ""
    lost = failures(data, swept, ["dataset", "test_method"], "left out of the means")
    return f"{found} {' '.join(map(sentence, details))} {time} {lost}"


def _half(means: pd.DataFrame) -> str:
    """What the ratio of evaluations says about a half."""
    share = (means["nfe_backward"] / means["nfe_forward"]).dropna()
    if share.empty:
        return ""
    word = "never as few as half" if share.min() > 0.5 else "half as many or fewer in some settings"
    return (
        f"The backward pass of the adjoint takes {number(share.min())} to {number(share.max())} times as many "
        f"evaluations as the forward pass, {word}."
    )


def _growth(data: FigureData, epochs: pd.DataFrame) -> str:
    """Evaluations of the last epoch over those of the first."""
    summary, said = data.table(f"{EPOCHS}_summary"), []
    for dataset in in_order(epochs, "dataset"):
        for arm in in_order(epochs[epochs["dataset"] == dataset], "arm"):
            rows = summary[(summary["arm"] == arm) & (summary["dataset"] == dataset)].sort_values("epoch")
            ends = [estimate(data, rows.iloc[i], "nfe_forward", 3) for i in (0, -1)]
            said.append(f"{data.label(arm)} on {data.label(dataset, 'dataset')} from {ends[0]} to {ends[1]}")
    return sentence(f"from the first epoch to the last, forward evaluations a step go: {'; '.join(said)}")


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


def alt(data: FigureData) -> str:
    swept = _swept(data.table(SWEEP))
    datasets = dict.fromkeys([*in_order(swept, "dataset"), *in_order(_epochs(data), "dataset")])
    where = [data.label(dataset, "dataset") for dataset in datasets]
    return (
        "Plots of four kinds: evaluations of the forward pass against the tolerance, time of the forward pass against its "
        "evaluations, evaluations of the backward pass against those of the forward pass with lines for equal and half, "
        f"and evaluations over the epochs, for {listing(solver_name(data, n) for n in in_order(swept, 'test_method'))} "
        f"on {listing(where)}."
    )


def _swept(table: pd.DataFrame) -> pd.DataFrame:
    """The adaptive solvers of the sweep."""
    if table.empty or table["tolerance"].isna().all():
        raise NothingToShow("no ODE-Net was swept over tolerances")
    return table[table["tolerance"].notna()]


def _epochs(data: FigureData) -> pd.DataFrame:
    """Without the arms that integrate nothing, or with fixed steps."""
    table = data.table(EPOCHS)
    moving = set() if table.empty else set(table.loc[table["nfe_forward"] > 0, "arm"]) - {"walkthrough"}
    if not moving:
        raise NothingToShow("no run of an ODE-Net with an adaptive solver")
    return table[table["arm"].isin(moving)]
