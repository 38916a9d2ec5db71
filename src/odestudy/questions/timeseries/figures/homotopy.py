"""The straight line in latent space from a clockwise to a counter-clockwise spiral: a strip, and in motion."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData
from odestudy.figures.style import GREY, WIDTH, canvas
from odestudy.figures.words import estimate, listing, sentence
from odestudy.questions.timeseries.figures._pictures import framed, means_in_brackets, stored

SHOWS = {
    "title": "From a clockwise to a counter-clockwise spiral",
    "tables": ["timeseries_homotopy"],
    "arrays": ["released"],
    "animated": True,
}
TABLE = "timeseries_homotopy"
COLUMNS = ["steepest_tenth_pct", "detour"]
STRIP = 6
LAST_FRAMES = 8


def draw(data: FigureData) -> Figure:
    found = stored(data, TABLE, "path")
    styles = data.looks(found, "arm")
    figure, grid = canvas(len(found), STRIP, height=WIDTH / STRIP + 0.15)
    for strip, (arm, (_, arrays)) in zip(grid, found.items(), strict=True):
        path = arrays["path"]
        shown = np.linspace(0, len(path) - 1, STRIP).round().astype(int)
        for axes, k in zip(strip, shown, strict=True):
            _frame(axes, path, k, styles[arm])
        strip[0].set_ylabel(data.label(arm), fontweight="bold")
        if strip[0] is grid[0][0]:
            for axes, k in zip(strip, shown, strict=True):
                axes.set_title(f"{100 * k / (len(path) - 1):.0f} %", fontsize=8, fontweight="normal")
    return figure


def animate(data: FigureData) -> FuncAnimation:
    """One panel an arm, there and back."""
    found = stored(data, TABLE, "path")
    styles = data.looks(found, "arm")
    figure, grid = canvas(1, max(2, len(found)), height=WIDTH / max(2, len(found)) * 0.9)
    for axes in grid[0][len(found) :]:
        axes.set_axis_off()
    count = max(len(arrays["path"]) for _, arrays in found.values())

    def show(k: int) -> list[Any]:
        at = min(k, count - 1)
        for axes, (arm, (_, arrays)) in zip(grid[0], found.items(), strict=False):
            axes.clear()
            _frame(axes, arrays["path"], at, styles[arm])
            axes.set_title(f"{data.label(arm)}: {100 * at / (count - 1):.0f} % of the way", fontsize=8)
        return []

    return FuncAnimation(figure, show, frames=count + LAST_FRAMES)


def caption(data: FigureData) -> str:
    table, summary = (f[f["length"] == 1] for f in (data.table(TABLE), data.table(f"{TABLE}_summary")))
    said = [
        f"{data.label(r['arm'])} {estimate(data, r, COLUMNS[0])}"
        for _, r in summary[summary["observed"] == summary["observed"].min()].iterrows()
    ]
    text = sentence(f"share of the path in data space that its steepest tenth takes, {listing(said)}")
    text += (
        " A tenth would be an even passage. Shown is the first pair of the first seed; grey: its two ends."
    )
    turns = [
        f"{data.label(arm)} {_turns(arrays['path'])}"
        for arm, (_, arrays) in stored(data, TABLE, "path").items()
    ]
    text += f" The curves turn in all by: {listing(turns)}. One that turns by much less than both ends is no spiral of either kind."
    return f"{text} {means_in_brackets(table, summary, COLUMNS[0])}"


def _turns(path: np.ndarray) -> str:
    """By how many degrees the direction of the curves (count, points, 2) turns at both ends, and least between them."""
    step = np.diff(path.astype(np.float64), axis=1)
    angle = np.unwrap(np.arctan2(step[..., 1], step[..., 0]), axis=1)
    turn = np.degrees(angle[:, -1] - angle[:, 0])
    first, last, least = (
        f"{degrees:.0f}°".replace("-", "−") for degrees in (turn[0], turn[-1], np.abs(turn).min())
    )
    return f"{first} and {last} at the ends, at least {least} between"


def alt(data: FigureData) -> str:
    arms = listing(map(data.label, stored(data, TABLE, "path")))
    return (
        f"Strips of curves in the plane for {arms}: from a clockwise spiral on the left over what lies between in "
        "latent space to a counter-clockwise one on the right."
    )


def _frame(axes: Axes, path: np.ndarray, k: int, look: dict[str, Any]) -> None:
    """The curve at position k over the two ends; a dot where it starts."""
    for end in (path[0], path[-1]):
        axes.plot(*end.T, color=GREY, linewidth=0.7, alpha=0.6)
    axes.plot(*path[k].T, color=look["color"], linewidth=1.5)
    axes.plot(*path[k][0], marker="o", markersize=3, color=look["color"])
    low, high = path.min((0, 1)), path.max((0, 1))
    middle, half = (low + high) / 2, 0.54 * float((high - low).max())
    axes.set(
        xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half), aspect="equal",
        xticks=[], yticks=[],
    )  # fmt: skip
    framed(axes)
