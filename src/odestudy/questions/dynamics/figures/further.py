"""Nonlinear systems: error of the learnt vector field, and of the trajectory beyond the horizon."""

from __future__ import annotations

from matplotlib.figure import Figure

from odestudy.figures.base import FigureData
from odestudy.figures.error_dots import describe_errors, draw_errors, say_errors

SHOWS = {
    "title": "Nonlinear systems with an invariant, an energy, a period, or chaos",
    "tables": ["dynamics_further"],
}

TABLE = "dynamics_further"
COLUMNS = ["field_error_pct", "extrapolation_nrmse"]


def draw(data: FigureData) -> Figure:
    return draw_errors(data, TABLE, COLUMNS)


def caption(data: FigureData) -> str:
    return say_errors(data, TABLE, COLUMNS)


def alt(data: FigureData) -> str:
    return describe_errors(data, TABLE)
