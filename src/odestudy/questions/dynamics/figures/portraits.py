"""Trajectories that were not seen, true and learnt: what a picture of a recovered system shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.phase import Shown, frame_around, shown_runs
from odestudy.figures.style import canvas, look
from odestudy.figures.words import counted, in_order, listing, number, sentence

SHOWS = {
    "title": "Trajectories from fresh starts, true beside learnt",
    "tables": ["dynamics_recovery", "dynamics_walkthrough"],
    "arrays": ["recover", "walkthrough", "gated", "gated_multiple"],
}

SQUARE, OWN = "dynamics_recovery", "dynamics_walkthrough"
NEEDED = "fresh_learnt"
MOST = 5  # panels


def draw(data: FigureData) -> Figure:
    panels = _panels(data)
    columns = min(3, len(panels))
    rows = -(-(len(panels) + 1) // columns) if len(panels) > 1 else 1
    figure, grid = canvas(rows, columns, height=2.3 if columns > 1 else 3.2)
    all_axes = list(grid.flat)
    arms = list(dict.fromkeys(arm for _, arm, _ in panels))
    styles = data.looks(arms, "arm")
    for axes, (system, arm, shown) in zip(all_axes, panels, strict=False):
        _panel(axes, shown.arrays, styles[arm])
        axes.set_title(f"{data.label(system, 'system')}, {data.label(arm)}", fontsize=8.5)
    for axes in all_axes[len(panels) :]:
        axes.set_axis_off()
    handles = [
        Line2D([], [], **look("data", linestyle="none", label="noisy data")),
        Line2D([], [], **look("truth", linewidth=0.9)),
        *(Line2D([], [], **style | {"marker": ""}) for style in styles.values()),
        Line2D(
            [],
            [],
            marker="o",
            color="black",
            markerfacecolor="white",
            markersize=4,
            linestyle="none",
            label="fresh start",
        ),
    ]
    if len(panels) < len(all_axes):
        all_axes[len(panels)].legend(handles=handles, loc="center left", borderaxespad=0)
    else:
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def caption(data: FigureData) -> str:
    said = [
        f"{data.label(system, 'system')} {number(float(shown.row['heldout_nrmse']))}"
        for system, _, shown in _panels(data)
    ]
    seeds = int(data.table(SQUARE)["seed"].nunique())
    return sentence(
        f"error of the learnt trajectories from fresh starts, over the spread of the true ones: {', '.join(said)}"
    ) + (
        f" Of {counted(seeds, 'seed')} the one with the median field error, hence no bars. The first systems are learnt from "
        "random points of a square, the others from the one trajectory whose noisy data are drawn; a learnt trajectory is "
        "cut where it leaves the panel."
    )


def alt(data: FigureData) -> str:
    systems = [data.label(system, "system") for system, _, _ in _panels(data)]
    return f"Phase planes of {listing(systems)}: true trajectories in solid black, learnt ones over them in broken lines."


def _panels(data: FigureData) -> list[tuple[str, str, Shown]]:
    """System, model and the run that is shown: the square's systems by the last model, then the walk-through's two."""
    found: list[tuple[str, str, Shown]] = []
    table = data.table(SQUARE)
    if not table.empty:
        noise = float(table["noise_pct"].max())
        where = {"recipe": in_order(table, "recipe")[0], "noise_pct": noise}
        runs = _runs(data, SQUARE, where)
        own = set(data.table(OWN)["system"]) if not data.table(OWN).empty else set()
        last = {system: arm for system, arm in runs if system not in own}
        found += [(system, arm, runs[system, arm]) for system, arm in last.items()]
    runs = _runs(data, OWN, {})
    first = dict(reversed(runs))
    found = found[: MOST - len(first)] + [
        (system, arm, runs[system, arm]) for system, arm in reversed(first.items())
    ]
    if not found:
        raise NothingToShow("no run has stored its arrays")
    return found


def _runs(data: FigureData, table: str, where: dict[str, Any]) -> dict[tuple[str, str], Shown]:
    try:
        return shown_runs(data, table, NEEDED, where)
    except NothingToShow:
        return {}


def _panel(axes: Axes, arrays: dict[str, np.ndarray], style: dict[str, Any]) -> None:
    true, learnt = arrays["fresh_true"], arrays[NEEDED]
    if len(arrays["t"]) > len(arrays["fresh_t"]) or np.allclose(arrays["t"][-1], arrays["fresh_t"][-1]):
        axes.plot(
            *arrays["noisy"][:, :2].T, **look("data", linestyle="none", markersize=2.8, markeredgewidth=0)
        )
    for one, other in zip(true, learnt, strict=True):
        axes.plot(*one[:, :2].T, **look("truth", linewidth=0.8))
        axes.plot(*other[:, :2].T, **style | {"marker": "", "linewidth": 1.3})
        axes.plot(*one[0, :2], marker="o", color="black", markerfacecolor="white", markersize=3.5, zorder=6)
    frame_around(axes, *true[..., :2].reshape(-1, 2).T, square=True)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4))
    axes.set(xlabel="$z_1$", ylabel="$z_2$")
