"""What is taken for what by the ODE-Net and a residual network, and the test images that are missed by most."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from odestudy.present.figures.base import FigureData, NothingToShow
from odestudy.present.figures.style import WIDTH
from odestudy.present.figures.words import counted, in_order, listing, sentence

TABLE = "images_accuracy"
ARMS = ("resnet6", "odenet_adjoint")
SHOWN = 12


def draw(data: FigureData) -> Figure:
    found = _arms(data)
    figure = Figure(figsize=(WIDTH, WIDTH / 2 + 1.1), layout="constrained")
    top, bottom = figure.subfigures(2, 1, squeeze=False, height_ratios=[3.1, 1.35])[:, 0]
    for axes, (arm, arrays) in zip(top.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
        _matrix(axes, _confusion(arrays))
        axes.set_title(data.label(arm))
    pictures = bottom.subplots(len(found), SHOWN, squeeze=False)
    for row, (arm, arrays) in zip(pictures, found.items(), strict=True):
        for axes in row:
            axes.set_axis_off()
        for axes, (image, truth, taken) in zip(row, _hardest(arrays), strict=False):
            axes.imshow(image, cmap="gray_r")
            axes.set_title(
                f"{truth} as {taken}" if truth != taken else f"{truth}",
                fontsize=7,
                pad=2,
                loc="center",
                fontweight="normal",
            )
        row[0].text(
            -0.35,
            0.5,
            data.label(arm).replace(", ", ",\n"),
            transform=row[0].transAxes,
            ha="right",
            va="center",
            fontsize=7,
        )
    return figure


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
    for arm, arrays in _arms(data).items():
        confusion = _confusion(arrays)
        errors = confusion - np.diag(np.diag(confusion))
        i, j = np.unravel_index(int(errors.argmax()), errors.shape)
        worst = f", most often {i} as {j} ({counted(int(errors[i, j]), 'time')})" if errors.any() else ""
        said.append(
            f"{data.label(arm)}: {counted(int(errors.sum()), 'error')} in {counted(len(arrays), 'run')}{worst}"
        )
    return (
        f"{sentence('; '.join(said))} Above, errors summed over the seeds; below, the images that the first seed's net "
        "misses by most, or hits by least."
    )


def alt(data: FigureData) -> str:
    return (
        f"Two tables of errors by true and found class, for {listing(map(data.label, _arms(data)))}, and under them "
        "the hardest test images as pictures."
    )


def _arms(data: FigureData) -> dict[str, list[tuple[int, dict[str, np.ndarray]]]]:
    """For each arm its (seed, arrays), on the first data set."""
    table: pd.DataFrame = data.table(TABLE)
    found: dict[str, list[tuple[int, dict[str, np.ndarray]]]] = {}
    for arm in ARMS if len(table) else ():
        mine = table[(table["arm"] == arm) & (table["dataset"] == table["dataset"].iloc[0])]
        for job in in_order(mine, "job"):
            arrays = data.arrays(job)
            seeds = sorted(
                int(n.removeprefix("found_seed")) for n in arrays if re.fullmatch(r"found_seed\d+", n)
            )
            found.setdefault(arm, []).extend((seed, arrays) for seed in seeds)
    found = {arm: arrays for arm, arrays in found.items() if arrays}
    if not found:
        raise NothingToShow("no classifier was trained")
    return found
