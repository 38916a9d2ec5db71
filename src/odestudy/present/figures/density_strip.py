"""Frames of a flow: the density from the base to the data, with the ways of some points at the end."""

from __future__ import annotations

from matplotlib.figure import Figure

from odestudy.present.figures.base import FigureData
from odestudy.present.figures.density_pictures import flows, paint
from odestudy.present.figures.style import BLACK, WIDTH, canvas
from odestudy.present.figures.words import listing

MOST_TARGETS = 3


def draw(data: FigureData) -> Figure:
    found = dict(list(flows(data).items())[:MOST_TARGETS])
    frames = len(next(iter(found.values()))[1]["frames"])
    figure, grid = canvas(len(found), frames + 1, height=WIDTH / (frames + 1) * 1.12)
    for row, (target, (_, arrays)) in zip(grid, found.items(), strict=True):
        half, top = float(arrays["extent"]), float(arrays["target"].max())
        for axes, frame, t in zip(row, arrays["frames"], arrays["frame_t"], strict=False):
            paint(axes, frame, half, min(top, float(frame.max())))
            axes.set_title(f"t = {t:.1f}", fontsize=8)
        paint(row[-1], arrays["target"], half, top)
        for i in range(arrays["paths"].shape[1]):
            row[-1].plot(*arrays["paths"][:, i].T, color="white", linewidth=0.5, alpha=0.8)
        ends = arrays["paths"][0]
        row[-1].plot(*ends.T, ".", color="white", markeredgecolor=BLACK, markeredgewidth=0.3, markersize=3.5)
        row[-1].set_title("ways", fontsize=8)
        row[0].set_ylabel(data.label(target).replace(", ", ",\n"), fontsize=8)
    return figure


def caption(data: FigureData) -> str:
    found = list(flows(data))[:MOST_TARGETS]
    return (
        f"From the standard normal base at t = 1 to the data at t = 0, for {listing(map(data.label, found))}; the "
        "first seed. Each frame has its own scale of colour up to the target's peak. Right, the ways of samples of "
        "the target over its density, dots where they start."
    )


def alt(data: FigureData) -> str:
    return (
        "Rows of small maps, one a target: a round density at the left deforms from frame to frame into the target, "
        "which the last map shows with white lines for the ways of single points."
    )
