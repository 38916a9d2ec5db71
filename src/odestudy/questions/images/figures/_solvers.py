"""Names of solvers where, as in the images, each comes with its own step or tolerance."""

from __future__ import annotations

import pandas as pd

from odestudy.figures.base import FigureData
from odestudy.figures.words import counted


def solver_name(data: FigureData, method: str) -> str:
    """The label without what it says of steps, which other questions fix: "dopri5, fixed step" is dopri5 here."""
    return data.label(method).split(", ")[0]


def step_name(step: float) -> str:
    """A step as a fraction: 1, 1/2, 1/4."""
    return "1" if step == 1 else f"1/{round(1 / step)}"


def trained_for(data: FigureData, rows: pd.DataFrame) -> str:
    """As in "trained on MNIST for 2 epochs", of the rows of one data set."""
    epochs = int(rows["epochs"].iloc[0])
    return f"trained on {data.label(rows['dataset'].iloc[0], 'dataset')} for {counted(epochs, 'epoch')}"
