"""The learnt trajectory at a few moments of its training: a strip of frames, and the same in motion."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData
from odestudy.figures.phase import (
    Shown,
    frame_around,
    names,
    plane,
    shown_runs,
    which_seed,
    worst_seed,
)
from odestudy.figures.style import WIDTH, canvas, legend_below, look
from odestudy.figures.words import failures, listing, quantity, sentence

SHOWS = {
    "title": "The learning process",
    "animated": True,
    "tables": ["dynamics_walkthrough"],
    "arrays": ["walkthrough", "gated", "gated_multiple"],
}

TABLE = "dynamics_walkthrough"
MOST_SYSTEMS = 3
STRIP = 6  # frames on paper
LAST_FRAMES = 8


def draw(data: FigureData) -> Figure:
    found = _found(data)
    systems, styles = names(found, 0), data.looks(names(found, 1), "arm")
    moments = max(len(shown.arrays["process"]) for shown in found.values())
    picked = np.unique(np.linspace(0, moments - 1, min(STRIP, moments)).round().astype(int))
    frames = len(picked)
    figure, grid = canvas(len(systems), frames, height=min(WIDTH / frames, 2.2) + 0.02 + 0.35 / len(systems))
    above: list[str] = []
    for strip, system in zip(grid, systems, strict=True):
        shown = {m: found[system, m] for m in styles if (system, m) in found}
        titles = [_moments(shown, moments)[i] for i in picked]
        for k, axes in enumerate(strip):
            _frame(axes, shown, styles, int(picked[k]), moments)
            axes.set_title(
                "" if titles == above else titles[k], fontsize=8, fontweight="normal", loc="center", pad=3
            )
        above = titles
        strip[0].set_ylabel(data.label(system), fontsize=9, fontweight="bold")
    handles = [Line2D([], [], **look("truth", linewidth=0.9))]
    handles += [Line2D([], [], **s | {"marker": ""}) for s in styles.values()]
    legend_below(figure, handles)
    return figure


def animate(data: FigureData) -> FuncAnimation:
    """One panel a system, all models in it; the last frame stays for a while."""
    found = _found(data)
    systems, styles = names(found, 0), data.looks(names(found, 1), "arm")
    frames = max(len(shown.arrays["process"]) for shown in found.values())
    figure, grid = canvas(1, len(systems), height=WIDTH / max(len(systems), 2) + 0.35)
    handles = [Line2D([], [], **look("truth", linewidth=0.9))]
    handles += [Line2D([], [], **s | {"marker": ""}) for s in styles.values()]
    legend_below(figure, handles)

    def show(k: int) -> list[Any]:
        for axes, system in zip(grid[0], systems, strict=True):
            shown = {m: found[system, m] for m in styles if (system, m) in found}
            axes.clear()
            _frame(axes, shown, styles, min(k, frames - 1), frames)
            moment = _moments(shown, frames)[min(k, frames - 1)]
            axes.set_title(f"{data.label(system)}: {moment}", fontsize=8)
        return []

    return FuncAnimation(figure, show, frames=frames + LAST_FRAMES)


def caption(data: FigureData) -> str:
    found = _found(data)
    rows = data.table(TABLE).loc[[shown.row.name for shown in found.values()]]
    ends = []
    for system in names(found, 0):
        of_system = rows[rows["system"] == system]
        said = [
            f"{data.label(m)} {quantity(data, 'trajectory_nrmse', value)}"
            for m, value in zip(of_system["arm"], of_system["trajectory_nrmse"], strict=True)
        ]
        ends.append(f"{data.label(system)}: {', '.join(said)}")
    text = sentence(
        f"the learnt trajectory from the start of training to its end, with nRMSE there: {'; '.join(ends)}"
    )
    text += _ended_before(data, found)
    text += f" {which_seed(data, TABLE, found)}; lines are cut where they leave the frame. {worst_seed(data, TABLE, found)}"
    return f"{text} {failures(data, rows, ['system', 'arm'], 'empty frames follow')}"


def _ended_before(data: FigureData, found: dict[tuple[str, str], Shown]) -> str:
    """Which models are shown as they ended, as the iterations above the frames go on beyond their training."""
    frames = max(len(shown.arrays["process"]) for shown in found.values())
    said = []
    for system in names(found, 0):
        shown = {model: one for (of, model), one in found.items() if of == system}
        at = _iterations(shown, frames)
        ends = {} if at is None else {model: _stored_at(one) for model, one in shown.items()}
        said += [
            f"{data.label(model)} after {round(float(stored[-1]))}"
            for model, stored in ends.items()
            if at is not None and stored is not None and stored[-1] < at[-1]
        ]
    text = " Each model is shown as it was last stored by the iteration above the frame"
    return f"{text}; one that had ended by then, as it ended: {listing(dict.fromkeys(said))}." if said else ""


def alt(data: FigureData) -> str:
    found = _found(data)
    systems = [data.label(system) for system in names(found, 0)]
    return (
        f"Strips of phase planes, one for each of {listing(systems)}, from the start of training on the left "
        "to its end on the right; each frame has the true trajectory in solid black and the learnt ones in "
        "broken lines."
    )


def _found(data: FigureData) -> dict[tuple[str, str], Shown]:
    """At most a few systems, spread over the table: the figure shows the process, not every case."""
    found = shown_runs(data, TABLE, "process")
    systems = names(found, 0)
    pick = np.unique(np.linspace(0, len(systems) - 1, min(MOST_SYSTEMS, len(systems))).round().astype(int))
    chosen = {systems[i] for i in pick}
    return {key: shown for key, shown in found.items() if key[0] in chosen}


def _stored_at(one: Shown) -> np.ndarray | None:
    """The iteration of each of a model's frames, where they are stored."""
    at = one.arrays.get("process_iteration")
    return at if at is not None and len(at) == len(one.arrays["process"]) else None


def _iterations(shown: dict[str, Shown], frames: int) -> np.ndarray | None:
    """The iterations above the frames, those of the longest training; None where they are not stored for every frame."""
    stored = [at for one in shown.values() if (at := _stored_at(one)) is not None and len(at) == frames]
    return max(stored, key=lambda at: float(at[-1]), default=None)


def _moments(shown: dict[str, Shown], frames: int) -> list[str]:
    """When the frames were taken: the iterations, where they are stored, else only start and end."""
    at = _iterations(shown, frames)
    if at is not None:
        return [f"{round(float(i))} iterations" if i != 1 else "1 iteration" for i in at]
    return ["start", *[""] * (frames - 2), "end"][:frames]


def _frame_of(one: Shown, k: int, at: np.ndarray | None) -> int:
    """Which of a model's frames is shown at a moment: the last that was stored by then."""
    stored = _stored_at(one)
    return k if at is None or stored is None else int(np.searchsorted(stored, at[k], side="right")) - 1


def _frame(
    axes: Axes, shown: dict[str, Shown], styles: dict[str, dict[str, Any]], k: int, frames: int
) -> None:
    at = _iterations(shown, frames)
    arrays = next(iter(shown.values())).arrays
    t = arrays["t"]
    truth = plane(arrays["truth"], t)
    axes.plot(*truth, **look("truth", linewidth=0.9))
    for model, one in shown.items():
        own = _frame_of(one, k, at)
        if 0 <= own < len(one.arrays["process"]):
            axes.plot(
                *plane(one.arrays["process"][own], t), **styles[model] | {"marker": "", "linewidth": 1.3}
            )
    axes.plot(
        truth[0][0], truth[1][0], marker="o", color="black", markerfacecolor="white", markersize=3.5, zorder=6
    )
    frame_around(axes, *truth, square=True, margin=0.2)
    if arrays["truth"].shape[1] == 1:
        axes.set_aspect("auto")
    axes.tick_params(labelbottom=False, labelleft=False, length=0)
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set(visible=True, color="#999999")
