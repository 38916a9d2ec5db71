"""Fresh spirals with what each arm makes of them, inside the window and after it."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odestudy.figures.base import FigureData
from odestudy.figures.style import BLACK, GREY, WIDTH, canvas, legend_below
from odestudy.figures.words import counted, listing, quantity, sentence
from odestudy.questions.timeseries.figures._pictures import plane_forecast, stored

SHOWS = {
    "title": "Forecasts of fresh spirals",
    "tables": ["timeseries_released"],
    "arrays": ["released"],
}
TABLE = "timeseries_released"
COLUMNS = 5


def draw(data: FigureData) -> Figure:
    found = stored(data, TABLE, "inner_found")
    styles = data.looks(found, "arm")
    figure, grid = canvas(len(found), COLUMNS, height=WIDTH / COLUMNS)
    for strip, (arm, (_, arrays)) in zip(grid, found.items(), strict=True):
        for series, axes in enumerate(strip):
            plane_forecast(axes, arrays, series, styles[arm])
        strip[0].set_ylabel(data.label(arm).replace(" with ", "\nwith "), fontweight="bold")
    legend_below(figure, handles())
    return figure


def handles() -> list[Line2D]:
    """The legend's entries of one forecast."""
    line: dict[str, Any] = {"color": BLACK, "linewidth": 1.5}
    return [
        Line2D([], [], color=BLACK, linewidth=0.8, label="truth"),
        Line2D([], [], color=GREY, marker=".", linestyle="none", label="observed"),
        Line2D([], [], **line, alpha=0.6, label="interpolated (in colour)"),
        Line2D([], [], **line, alpha=0.6, linestyle=(0, (2, 1)), label="extrapolated (in colour)"),
    ]


def caption(data: FigureData) -> str:
    found = stored(data, TABLE, "inner_found")
    said = [
        f"{data.label(arm)} {quantity(data, 'interpolation_rmse', row['interpolation_rmse'])} inside and "
        f"{quantity(data, 'extrapolation_rmse', row['extrapolation_rmse'])} after"
        for arm, (row, _) in found.items()
    ]
    row = next(iter(found.values()))[0]
    text = sentence(f"RMSE of the seed shown over all fresh spirals: {'; '.join(said)}")
    where = f"The same {counted(COLUMNS, 'spiral')} in each row, the first, third and fifth clockwise, "
    return (
        f"{text} {where}each with {int(row['observed'])} observations; "
        "forecasts are cut where they leave the frame."
    )


def alt(data: FigureData) -> str:
    arms = listing(map(data.label, stored(data, TABLE, "inner_found")))
    return (
        f"A grid of spirals, one row for each of {arms}: black true arcs, grey points on their first half, and "
        "coloured forecasts, full inside the observed window and broken after it."
    )
