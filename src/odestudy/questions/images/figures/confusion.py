"""Tables of true and found classes of the ODE-Net and a residual network, and the images missed by most nets."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.style import WIDTH
from odestudy.figures.words import counted, in_order, listing, sentence

SHOWS = {
    "title": "What is taken for what, and the hardest digits",
    "tables": ["images_accuracy"],
    "arrays": ["train", "train_mnist"],
}

TABLE = "images_accuracy"
ARMS = ("resnet6", "odenet_adjoint")
SHOWN = 12

Arms = dict[str, list[tuple[int, dict[str, np.ndarray]]]]  # arm -> its seeds, each with its job's arrays


def draw(data: FigureData) -> Figure:
    found = _arms(data)
    height = WIDTH / 2 + 1.1 if len(found) == 1 else 3.6  # inches a data set; three of them fill a page
    figure = Figure(figsize=(WIDTH, height * len(found)), layout="constrained")
    blocks = figure.subfigures(len(found), 1, squeeze=False)[:, 0]
    for block, (dataset, arms) in zip(blocks, found.items(), strict=True):
        of = f", {data.label(dataset, 'dataset')}" if len(found) > 1 else ""
        _one_dataset(data, block, arms, of)
    return figure


def _one_dataset(data: FigureData, block: Any, found: Arms, of: str) -> None:
    """The tables of errors side by side, and under them a row of pictures for each arm."""
    top, bottom = block.subfigures(2, 1, squeeze=False, height_ratios=[3.1, 1.35])[:, 0]
    for axes, (arm, arrays) in zip(top.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
        _matrix(axes, _confusion(arrays))
        axes.set_title(f"{data.label(arm)}{of}")
    pictures = bottom.subplots(len(found), SHOWN, squeeze=False)
    for row, (arm, arrays) in zip(pictures, found.items(), strict=True):
        for axes in row:
            axes.set_axis_off()
        for axes, (image, truth, taken) in zip(row, _hardest(arrays), strict=False):
            axes.imshow(image, cmap="gray_r")
            text = f"{truth} as {taken}" if truth != taken else f"{truth}"
            axes.set_title(text, fontsize=7, pad=2, loc="center", fontweight="normal")
        name = data.label(arm).replace(", ", ",\n")
        at: dict[str, Any] = {"transform": row[0].transAxes, "ha": "right", "va": "center", "fontsize": 7}
        row[0].text(-0.35, 0.5, name, **at)


def _matrix(axes: Any, confusion: np.ndarray) -> None:
    """Errors only: the diagonal, which would drown them, is left blank."""
    errors = confusion.astype(float)
    np.fill_diagonal(errors, np.nan)
    axes.imshow(errors, cmap="Blues", vmin=0, vmax=max(1.0, float(np.nanmax(errors))))
    for i, j in np.argwhere(errors > 0):
        dark = errors[i, j] > 0.6 * np.nanmax(errors)
        axes.text(
            j,
            i,
            f"{errors[i, j]:.0f}",
            ha="center",
            va="center",
            fontsize=7,
            color="white" if dark else "black",
        )
    axes.set_xticks(range(len(errors)))
    axes.set_yticks(range(len(errors)))
    axes.set(xlabel="taken for", ylabel="is")
    axes.grid(False)


def _confusion(arrays: list[tuple[int, dict[str, np.ndarray]]]) -> np.ndarray:
    """How often class i is taken for j, summed over seeds."""
    total = np.zeros((10, 10), dtype=int)
    for seed, found in arrays:
        np.add.at(total, (found["truth"].astype(int), found[f"found_seed{seed}"].astype(int)), 1)
    return total


def _hardest(arrays: list[tuple[int, dict[str, np.ndarray]]]) -> list[tuple[np.ndarray, int, int]]:
    """The hardest images of the first seed."""
    seed, found = arrays[0]
    columns = (found[f"hardest{part}_seed{seed}"] for part in ("", "_truth", "_found"))
    return [(image, int(truth), int(taken)) for image, truth, taken in zip(*columns, strict=True)]


def caption(data: FigureData) -> str:
    said = []
    for dataset, arms in _arms(data).items():
        for arm, arrays in arms.items():
            confusion = _confusion(arrays)
            errors = confusion - np.diag(np.diag(confusion))
            i, j = np.unravel_index(int(errors.argmax()), errors.shape)
            worst = f", most often {i} as {j} ({counted(int(errors[i, j]), 'time')})" if errors.any() else ""
            runs = f"{counted(int(errors.sum()), 'error')} in {counted(len(arrays), 'run')}"
            said.append(f"{data.label(arm)} on {data.label(dataset, 'dataset')}: {runs}{worst}")
    return (
        f"{sentence('; '.join(said))} Tables: errors summed over the seeds; pictures: the images that the first seed's "
        "net misses by most, or hits by least."
    )


def alt(data: FigureData) -> str:
    found = _arms(data)
    arms = dict.fromkeys(data.label(arm) for of in found.values() for arm in of)
    return (
        f"For {listing(data.label(dataset, 'dataset') for dataset in found)}, tables of errors by true and found class, of "
        f"{listing(arms)}, and under them the hardest test images as pictures."
    )


def _arms(data: FigureData) -> dict[str, Arms]:
    """For each data set and arm its seeds with their arrays."""
    table: pd.DataFrame = data.table(TABLE)
    found: dict[str, Arms] = {}
    for dataset in in_order(table, "dataset"):
        for arm in ARMS:
            jobs = in_order(table[(table["arm"] == arm) & (table["dataset"] == dataset)], "job")
            # The table has other experiments, too.
            shown = [data.arrays(job) for job in jobs if job in data.metrics]
            arrays = [(seed, of_job) for of_job in shown for seed in _seeds(of_job)]
            if arrays:
                found.setdefault(dataset, {})[arm] = arrays
    if not found:
        raise NothingToShow("no classifier was trained")
    return found


def _seeds(arrays: dict[str, np.ndarray]) -> list[int]:
    return sorted(int(n.removeprefix("found_seed")) for n in arrays if re.fullmatch(r"found_seed\d+", n))
