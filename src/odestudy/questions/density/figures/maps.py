"""For each target its density, the flow's, and samples of the flow."""

from __future__ import annotations

from matplotlib.figure import Figure

from odestudy.figures.base import FigureData
from odestudy.figures.style import canvas
from odestudy.figures.words import listing, quantity, sentence
from odestudy.questions.density.figures._pictures import Shown, flows, paint, scatter, two_lines

SHOWS = {
    "title": "Densities of the flow beside the target's",
    "tables": ["density_models", "density_curve"],
    "arrays": ["models", "limits", "curve", "curve_long", "curve_targets"],
}

MOST_TARGETS = 6


def draw(data: FigureData) -> Figure:
    found = _shown(data)
    figure, grid = canvas(3, len(found), height=7.2 / max(len(found), 4) * 1.02)
    for column, (target, (_, arrays)) in zip(grid.T, found.items(), strict=True):
        half, top = float(arrays["extent"]), float(arrays["target"].max())
        paint(column[0], arrays["target"], half, top)
        paint(column[1], arrays["density"], half, top)
        scatter(column[2], arrays["samples"], half)
        column[0].set_title(two_lines(data.label(target)), fontsize=8)
    for axes, name in zip(grid[:, 0], ("target", "flow's density", "flow's samples"), strict=True):
        axes.set_ylabel(name)
    return figure


def caption(data: FigureData) -> str:
    rows = sorted(
        ((row["excess_nat"], target, row) for target, (row, _) in _shown(data).items()), key=lambda r: r[0]
    )
    said = [
        f"{quantity(data, 'excess_nat', excess)} on {data.label(target)} after {row['iterations']:.0f} training steps"
        for excess, target, row in rows
    ]
    near, far = said[0], said[-1]
    most = f"The flow is furthest from the truth on {data.label(rows[-1][1])}: " if len(said) > 1 else ""
    between = f"; on the others it is between that and {near}" if len(said) > 1 else ""
    text = sentence(f"{most}its NLL is above the true entropy by {far}{between}")
    return f"{text} The first seed; a target and its flow share one scale of colour, which ends at the target's peak."


def alt(data: FigureData) -> str:
    return f"A column each for {listing(map(data.label, _shown(data)))}: the target's density, the flow's, and its samples."


def _shown(data: FigureData) -> Shown:
    return flows(data, MOST_TARGETS, "frames")
