"""Maps of the learnt vector field's error, and where the data support a statement about it."""

from __future__ import annotations

from textwrap import fill
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.phase import MOST_POINTS, Shown, names, plane, shown_runs, which_seed
from odestudy.figures.style import WIDTH, canvas
from odestudy.figures.words import counted, failures, listing, quantity, sentence

SHOWS = {
    "title": "Error of the learnt vector field and the support of the data",
    "tables": ["dynamics_walkthrough"],
    "arrays": ["gated", "gated_multiple"],
}

TABLE = "dynamics_walkthrough"
IN_A_BAND = 5  # systems side by side
DECADES = 4  # of the colour scale at most
TRAJECTORY: dict[str, Any] = {
    "color": "black",
    "linewidth": 1.1,
    "path_effects": [patheffects.withStroke(linewidth=2.2, foreground="white")],
}


def draw(data: FigureData) -> Figure:
    found = _planar(data)
    systems, models = names(found, 0), names(found, 1)
    columns = min(IN_A_BAND, len(systems))
    bands = -(-len(systems) // columns)
    side = min((WIDTH - 1.1) / columns, 2.2)
    figure, grid = canvas(bands * len(models), columns, height=side + 0.05 + 0.3 / (bands * len(models)))
    figure.set_layout_engine("compressed")
    for axes in grid.flat:
        axes.set_axis_off()
    image: Any = None
    low, high = _scale(found)
    scale = LogNorm(low, high)
    for i, system in enumerate(systems):
        for j, model in enumerate(models):
            axes = grid[i // columns * len(models) + j, i % columns]
            if (system, model) in found:
                image = _map(axes, found[system, model], scale, bands > 1)
            _name(axes, data.label(system) if j == 0 else "", data.label(model) if i % columns == 0 else "")
            axes.set_xlabel("$z_1$" if j == len(models) - 1 else "", fontsize=8, labelpad=1)
    figure.colorbar(
        image, ax=grid, label=r"$\|\hat f - f\|$, error of the field", aspect=30, pad=0.015,
        extend="min" if _smallest(found) < low else "neither",
    )  # fmt: skip
    figure.legend(handles=_handles(), loc="outside lower center", ncols=2)
    return figure


def caption(data: FigureData) -> str:
    found = _planar(data)
    rows = data.table(TABLE).loc[[shown.row.name for shown in found.values()]]
    pairs = rows.dropna(subset=["field_error_pct", "field_error_off_pct"])
    larger = int((pairs["field_error_off_pct"] > pairs["field_error_pct"]).sum())
    text = sentence(
        f"off the support of the data the relative error of the learnt field is the larger one in "
        f"{larger} of {counted(len(pairs), 'map')}"
    )
    if not pairs.empty:
        growth = pairs["field_error_off_pct"] / pairs["field_error_pct"]
        most = pairs.iloc[int(np.argmax(growth))]
        text = text[:-1] + (
            f"; it grows most for {data.label(most['system'], 'system')} with the {data.label(most['arm'])}, from "
            f"{quantity(data, 'field_error_pct', most['field_error_pct'])} on the support to "
            f"{quantity(data, 'field_error_off_pct', most['field_error_off_pct'])} off it."
        )
    text += (
        f" The colours show the absolute error, on one scale for all maps. {which_seed(data, TABLE, found)}."
    )
    return f"{text} {failures(data, rows, ['system', 'arm'], 'its map as far as it got')}"


def alt(data: FigureData) -> str:
    found = _planar(data)
    systems = [data.label(system) for system in names(found, 0)]
    models = [data.label(model) for model in names(found, 1)]
    return (
        f"Maps over the phase plane of {listing(systems)}, "
        f"one for each of {listing(models)}; the colour tells the "
        "error of the learnt vector field, an outline the region that the data support."
    )


def _planar(data: FigureData) -> dict[tuple[str, str], Shown]:
    found = shown_runs(data, TABLE, "grid_error", {"system": "gated"})
    found = {k: v for k, v in found.items() if v.arrays["grid"].shape[1] == 2}
    if not found:
        raise NothingToShow("no system in the plane")
    return found


def _smallest(found: dict[tuple[str, str], Shown]) -> float:
    errors = np.concatenate([shown.arrays["grid_error"] for shown in found.values()])
    return float(errors[np.isfinite(errors) & (errors > 0)].min(initial=np.inf))


def _scale(found: dict[tuple[str, str], Shown]) -> tuple[float, float]:
    """Ends of the colour scale that all maps share."""
    errors = np.concatenate([shown.arrays["grid_error"] for shown in found.values()])
    errors = errors[np.isfinite(errors) & (errors > 0)]
    if not len(errors):
        raise NothingToShow("no field has a finite error")
    high = float(errors.max())
    return max(float(np.quantile(errors, 0.005)), high / 10**DECADES), high


def _map(axes: Axes, shown: Shown, scale: LogNorm, many: bool) -> Any:
    axes.set_axis_on()
    arrays = shown.arrays
    x, y = (np.unique(arrays["grid"][:, i]) for i in (0, 1))
    error = np.ma.masked_invalid(arrays["grid_error"].reshape(len(x), len(y)).T)
    image = axes.pcolormesh(x, y, error, norm=scale, cmap="viridis", shading="nearest", rasterized=True)
    inside = arrays["grid_inside"].reshape(len(x), len(y)).T.astype(float)
    if inside.min() < 0.5 < inside.max():
        outline = axes.contour(x, y, inside, levels=[0.5], colors="white", linewidths=1.3)
        outline.set_path_effects([patheffects.withStroke(linewidth=2.6, foreground="black")])
    most = 120 if many else MOST_POINTS
    axes.plot(*plane(arrays["truth"], arrays["t"], most), **TRAJECTORY)
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    axes.set_box_aspect(1)
    axes.grid(False)
    return image


def _name(axes: Axes, system: str, model: str) -> None:
    axes.set_title(fill(system, 14), fontsize=8.5, loc="center")
    if model:
        axes.set_ylabel(f"{fill(model, 16)}\n$z_2$", fontsize=8)
    axes.tick_params(labelsize=7, length=2, pad=2)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(3))


def _handles() -> list[Line2D]:
    edge = [patheffects.withStroke(linewidth=2.6, foreground="black")]
    return [
        Line2D([], [], color="white", linewidth=1.3, path_effects=edge, label="edge of the data's support"),
        Line2D([], [], label="true trajectory", **TRAJECTORY),
    ]
