"""Names of solvers where, as in the images, each comes with its own step or tolerance."""

from __future__ import annotations

from odestudy.figures.base import FigureData


def solver_name(data: FigureData, method: str) -> str:
    """The label without what it says of steps, which other questions fix: "dopri5, fixed step" is dopri5 here."""
    return data.label(method).split(", ")[0]


def step_name(step: float) -> str:
    """A step as a fraction: 1, 1/2, 1/4."""
    return "1" if step == 1 else f"1/{round(1 / step)}"
