"""Phase portraits: the truth, what was observed of it, and what each model learnt."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from odestudy.figures.base import FigureData
from odestudy.figures.phase import (
    Shown,
    escapes,
    frame_around,
    names,
    plane,
    recovered_share,
    shown_runs,
    which_seed,
)
from odestudy.figures.style import DOTTED, GREY, canvas, look
from odestudy.figures.words import counted, failures, listing, sentence, span

SHOWS = {
    "title": "Phase portraits, true beside learnt",
    "tables": ["dynamics_recovery"],
    "arrays": ["recover"],
}

TABLE = "dynamics_recovery"
WORST: dict[str, Any] = {"linestyle": DOTTED, "linewidth": 0.9}
MOST_AS_VECTORS = 6  # systems whose observations are single marks of an SVG; of more they are a picture


def draw(data: FigureData) -> Figure:
    found = shown_runs(data, TABLE, "learnt")
    systems, styles = names(found, 0), data.looks(names(found, 1), "arm")
    columns = min(3, len(systems))
    rows = -(-(len(systems) + (len(systems) > 1)) // columns)
    figure, grid = canvas(rows, columns, height=2.5 if columns > 1 else 3.2)
    panels = list(grid.flat)
    many = len(systems) > MOST_AS_VECTORS
    for axes, system in zip(panels, systems, strict=False):
        shown = {m: found[system, m] for m in styles if (system, m) in found}
        _panel(axes, data.label(system), shown, styles, many)
    handles = _handles(data, styles)
    if _worst(found):
        handles.append(Line2D([], [], color=GREY, label=_worst_of(data), **WORST))
    for axes in panels[len(systems) :]:
        axes.set_axis_off()
    if len(systems) < len(panels):
        panels[len(systems)].legend(handles=handles, loc="center left", borderaxespad=0)
    else:
        figure.legend(handles=handles, loc="outside right center")
    return figure


def caption(data: FigureData) -> str:
    found = shown_runs(data, TABLE, "learnt")
    table = data.table(TABLE)
    rows = table.loc[[shown.row.name for shown in found.values()]]
    parts = [
        f"{span(data, rows[rows['arm'] == m], 'trajectory_nrmse', 'system')} for the {data.label(m)}"
        for m in names(found, 1)
    ]
    text = sentence(f"from the true initial state, the learnt trajectory's nRMSE is {listing(parts)}")
    text += f" {which_seed(data, TABLE)}; a learnt trajectory is cut where it leaves the panel."
    if _worst(found):
        text += f" Thin and dotted: {_worst_of(data)}, by the error of the field."
    text += f" {recovered_share(data, TABLE, found)}"
    return f"{text} {failures(data, rows, ['system', 'arm'], 'named in the panel')}"


def _worst(found: dict[tuple[str, str], Shown]) -> bool:
    return any(shown.worst is not None for shown in found.values())


def _worst_of(data: FigureData) -> str:
    return f"the worst of {counted(int(data.table(TABLE)['seed'].nunique()), 'seed')}"


def alt(data: FigureData) -> str:
    found = shown_runs(data, TABLE, "learnt")
    systems = [data.label(system) for system in names(found, 0)]
    models = [data.label(model) for model in names(found, 1)]
    return (
        f"Phase planes of {listing(systems)}: noisy observations as grey dots around the true "
        f"trajectory in solid black, over it the ones learnt by the {listing(models)} in broken lines, and thin dotted ones of the worst seeds."
    )


def _panel(
    axes: Axes, title: str, shown: dict[str, Shown], styles: dict[str, dict[str, Any]], many: bool
) -> None:
    arrays = next(iter(shown.values())).arrays
    t, noisy = arrays["t"], plane(arrays["noisy"], arrays["t"])
    axes.plot(*noisy, **look("data", linestyle="none", markersize=3.2, markeredgewidth=0, rasterized=many))
    axes.plot(*plane(arrays["truth"], t), **look("truth", linewidth=0.9))
    for model, one in shown.items():
        axes.plot(*plane(one.arrays["learnt"], t), **styles[model] | {"marker": "", "linewidth": 1.5})
        if one.worst is not None:
            axes.plot(*plane(one.worst, t), color=styles[model]["color"], **WORST)
    start = plane(arrays["truth"][:1], t[:1])
    axes.plot(*start, marker="o", color="black", markerfacecolor="white", markersize=4.5, zorder=6)
    frame_around(axes, *noisy, square=True)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4))
    scalar = arrays["truth"].shape[1] == 1
    axes.set(title=title, xlabel="$t$" if scalar else "$z_1$", ylabel="$z_1$" if scalar else "$z_2$")
    if scalar:
        axes.set_aspect("auto")
    broken = [
        str(styles[m]["label"]) for m, one in shown.items() if escapes(one.arrays["learnt"], arrays["truth"])
    ]
    if broken:
        axes.text(
            0.5,
            0.03,
            f"no solution: {', '.join(broken)}",
            transform=axes.transAxes,
            ha="center",
            fontsize=7.5,
        )


def _handles(data: FigureData, styles: dict[str, dict[str, Any]]) -> list[Line2D]:
    return [
        Line2D([], [], **look("data", linestyle="none", label="noisy data")),
        Line2D([], [], **look("truth", linewidth=0.9)),
        *(Line2D([], [], **s | {"marker": ""}) for s in styles.values()),
        Line2D([], [], marker="o", color="black", markerfacecolor="white", markersize=4.5, linestyle="none",
               label="start"),
    ]  # fmt: skip
