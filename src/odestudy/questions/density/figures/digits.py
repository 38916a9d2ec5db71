"""Handwritten digits as pictures: real ones, and samples of the models that learnt their density in the same time."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.style import WIDTH, canvas
from odestudy.figures.words import estimate, in_order, listing

SHOWS = {
    "title": "Handwritten digits, real and sampled",
    "tables": ["density_digits"],
    "arrays": ["digits"],
}

TABLE, REAL = "density_digits", "test"
LEFT = 0.3  # of the width, for what each row is
SIDE, HALF = 8, 2.0  # pixels a side; values of white and black apart from their middle


def draw(data: FigureData) -> Figure:
    rows = _shown(data)
    many = min(len(images) for images in rows.values())
    each = WIDTH * (1 - LEFT) / many
    figure, grid = canvas(len(rows), 1, height=each)
    for axes, (name, images) in zip(grid[:, 0], rows.items(), strict=True):
        _strip(axes, images[:many])
        label = "real, not trained on" if name == REAL else data.label(name, "model").replace(", ", ",\n")
        axes.set_ylabel(label, rotation=0, ha="right", va="center", labelpad=8)
    return figure


def caption(data: FigureData) -> str:
    rows, summary = _shown(data), data.table(f"{TABLE}_summary").set_index("model")
    said = [
        f"{data.label(name, 'model')} {estimate(data, summary.loc[name], 'bits_per_dim')}"
        for name in rows
        if name in summary.index and summary["bits_per_dim"].notna()[name]
    ]
    bits = f"Bits per pixel on test images, the fewer the better: {listing(said)}. " if said else ""
    return (
        f"{bits}Each model had the time that the flow's training by likelihood took. Samples are as drawn, of the first "
        "seed, none chosen; values beyond black and white are cut off."
    )


def alt(data: FigureData) -> str:
    names = [data.label(name, "model") for name in _shown(data) if name != REAL]
    return f"Rows of small grey pictures of digits: real ones, then samples of {listing(names)}."


def _strip(axes: Axes, images: np.ndarray) -> None:
    """Images (n, 64) side by side, ink dark."""
    shown = images.reshape(-1, SIDE, SIDE)
    apart = np.full((len(shown), SIDE, 1), -HALF)
    wide = np.concatenate([shown, apart], axis=2).transpose(1, 0, 2).reshape(SIDE, -1)[:, :-1]
    axes.imshow(wide, cmap="gray_r", vmin=-HALF, vmax=HALF, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    for side in axes.spines.values():
        side.set_visible(False)


def _shown(data: FigureData) -> dict[str, np.ndarray]:
    """Real images, then those of each model of which any are finite, (n, 64)."""
    table = data.table(TABLE)
    jobs = [job for job in table["job"].unique() if job in data.metrics] if len(table) else []
    arrays = next((found for job in jobs if REAL in (found := data.arrays(job))), {})
    names = [name for name in in_order(table, "model") if len(arrays.get(name, ()))] if arrays else []
    if not names:
        raise NothingToShow("no samples of digits were kept")
    return {name: arrays[name] for name in (REAL, *names)}
