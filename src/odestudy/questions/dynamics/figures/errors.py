"""Error of the learnt vector field and of the learnt trajectory, by system and arm."""

from __future__ import annotations

from matplotlib.figure import Figure

from odestudy.figures.base import FigureData
from odestudy.figures.error_dots import describe_errors, draw_errors, say_errors, say_shooting

SHOWS = {
    "title": "Field and trajectory error by system and model",
    "tables": ["dynamics_recovery"],
}

TABLE = "dynamics_recovery"
COLUMNS = ["field_error_pct", "trajectory_nrmse"]


def draw(data: FigureData) -> Figure:
    return draw_errors(data, TABLE, COLUMNS)


def caption(data: FigureData) -> str:
    return f"{say_shooting(data, TABLE, COLUMNS[0])} {say_errors(data, TABLE, COLUMNS)}"


def alt(data: FigureData) -> str:
    return describe_errors(data, TABLE)
