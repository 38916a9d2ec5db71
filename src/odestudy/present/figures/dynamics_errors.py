"""Error of the learnt vector field and of the learnt trajectory, by system and model."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.present.figures.base import FigureData, NothingToShow
from odestudy.present.figures.dots import Dots, categories, draw_dots, failed_handle
from odestudy.present.figures.scales import log_axis
from odestudy.present.figures.style import canvas, legend_below, looks
from odestudy.present.figures.words import (
    counted,
    failures,
    in_order,
    listing,
    seeds_and_bars,
    sentence,
    span,
)

TABLE = "dynamics_recovery"
COLUMNS = ["field_error_pct", "trajectory_nrmse"]
FILLS = ("full", "none", "left", "top")  # one for each way of computing the gradient


def draw(data: FigureData) -> Figure:
    table = _table(data)
    systems, series = in_order(table, "system"), _series(data)
    figure, grid = canvas(1, 2, height=0.9 + len(systems) * (0.16 + 0.15 * len(series)), sharey=True)
    marked = [
        draw_dots(axes, _lines(data, systems, series), column, seeds_below=0.3 / len(series), log=True)
        for axes, column in zip(grid[0], COLUMNS, strict=True)
    ]
    for axes, column in zip(grid[0], COLUMNS, strict=True):
        log_axis(axes, "x")
        axes.set_xlabel(data.axis(column))
        categories(axes, [data.label(system) for system in systems])
    handles: list[Any] = [Line2D([], [], **look | {"linestyle": "none"}) for look in series.values()]
    legend_below(figure, handles + ([failed_handle()] if any(marked) else []), columns=3)
    return figure


def caption(data: FigureData) -> str:
    table, summary = _table(data), data.table(f"{TABLE}_summary")
    models = in_order(table, "model")
    first = in_order(table, "gradient")[0]
    shown = summary[summary["gradient"] == first]
    parts = [
        f"{span(data, shown[shown['model'] == m], COLUMNS[0], 'system')} for {_the(data, m)}" for m in models
    ]
    text = sentence(
        f"the error of the learnt vector field, within the support of the data, is {listing(parts)}"
    )
    if len(models) > 1:
        text += " " + _who_wins(data, shown, models)
    if table["gradient"].nunique() > 1:
        text += f" (Gradient: {data.label(first)}.)"
    return (
        f"{text} {seeds_and_bars(data, table, summary, COLUMNS)} {failures(data, table, ['system', 'model'])}"
    )


def alt(data: FigureData) -> str:
    table = _table(data)
    systems = [data.label(system) for system in in_order(table, "system")]
    models = [data.label(model) for model in in_order(table, "model")]
    return (
        f"Two dot plots with logarithmic axes, left the error of the vector field, right that of the "
        f"trajectory; from top to bottom {listing(systems)}, each with markers for {listing(models)}."
    )


def _table(data: FigureData) -> Any:
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("no recovery run")
    return table


def _the(data: FigureData, model: str) -> str:
    return f"the {data.label(model)}"


def _series(data: FigureData) -> dict[tuple[str, str], dict[str, Any]]:
    """(model, gradient) -> look: the model gives colour and marker, the gradient how the marker is filled."""
    table = data.table(TABLE)
    gradients = in_order(table, "gradient")
    found = {}
    for model, look in looks(in_order(table, "model")).items():
        for gradient, fill in zip(gradients, FILLS, strict=False):
            label = data.label(model) + (f", {data.label(gradient)}" if len(gradients) > 1 else "")
            found[model, gradient] = look | {"fillstyle": fill, "label": label}
    return found


def _lines(data: FigureData, systems: list[str], series: dict[tuple[str, str], dict[str, Any]]) -> list[Dots]:
    table, summary = data.table(TABLE), data.table(f"{TABLE}_summary")
    lines = []
    for i, system in enumerate(systems):
        for j, ((model, gradient), look) in enumerate(series.items()):
            runs, mean = (
                frame[
                    (frame["system"] == system) & (frame["model"] == model) & (frame["gradient"] == gradient)
                ]
                for frame in (table, summary)
            )
            at = i + ((j + 0.5) / len(series) - 0.5) * 0.8 - 0.1 / len(series)
            lines.append(Dots(at, runs, mean, look))
    return lines


def _who_wins(data: FigureData, shown: Any, models: list[str]) -> str:
    """For how many systems each model has the smallest trajectory error."""
    wide = shown.pivot_table(index="system", columns="model", values=COLUMNS[1]).dropna(how="all")
    best = wide.idxmin(axis=1).value_counts()
    won = [f"{_the(data, m)}'s for {best.get(m, 0)}" for m in models]
    return f"The smallest trajectory error is {listing(won)} of {counted(len(wide), 'system')}."
