"""For each target its density, the flow's, and samples of the flow."""

from __future__ import annotations

from matplotlib.figure import Figure

from odestudy.present.figures.base import FigureData
from odestudy.present.figures.density_pictures import flows, paint
from odestudy.present.figures.style import BLUE, canvas
from odestudy.present.figures.words import listing, quantity, sentence


def draw(data: FigureData) -> Figure:
    found = flows(data)
    figure, grid = canvas(3, len(found), height=7.2 / max(len(found), 3) * 1.02)
    for column, (target, (_, arrays)) in zip(grid.T, found.items(), strict=True):
        half, top = float(arrays["extent"]), float(arrays["target"].max())
        paint(column[0], arrays["target"], half, top)
        paint(column[1], arrays["density"], half, top)
        column[2].plot(
            *arrays["samples"].T, ".", color=BLUE, markersize=1.6, markeredgewidth=0, rasterized=True
        )
        column[2].set(xlim=(-half, half), ylim=(-half, half), xticks=[], yticks=[], aspect="equal")
        column[2].grid(False)
        column[0].set_title(data.label(target).replace(", ", ",\n"), fontsize=8)
    for axes, name in zip(grid[:, 0], ("target", "flow's density", "flow's samples"), strict=True):
        axes.set_ylabel(name)
    return figure


def caption(data: FigureData) -> str:
    said = [
        f"{data.label(target)} {quantity(data, 'excess_nat', row['excess_nat'])}"
        for target, (row, _) in flows(data).items()
    ]
    text = sentence(f"NLL minus the true entropy of the flow shown: {listing(said)}")
    return f"{text} The first seed; a target and its flow share one scale of colour, which ends at the target's peak."


def alt(data: FigureData) -> str:
    return f"A column each for {listing(map(data.label, flows(data)))}: the target's density, the flow's, and its samples."
