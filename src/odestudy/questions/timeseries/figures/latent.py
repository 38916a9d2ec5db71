"""Trajectories in the latent space of the latent ODE, and curves decoded from samples of the prior."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy import special

from odestudy.figures.base import FigureData
from odestudy.figures.style import BLUE, DASHED, ORANGE, canvas
from odestudy.figures.words import number, sentence
from odestudy.questions.timeseries.figures._pictures import stored

SHOWS = {
    "title": "Latent trajectories and samples of the prior",
    "tables": ["timeseries_homotopy"],
    "arrays": ["released"],
}
TABLE = "timeseries_homotopy"
INSIDE = 0.95  # of the prior


def draw(data: FigureData) -> Figure:
    _, (_, arrays) = next(iter(stored(data, TABLE, "latent").items()))
    figure, grid = canvas(1, 2, height=3.2)
    left, right = grid[0]
    plane, share = principal_plane(arrays["latent"])
    for i, line in enumerate(plane):
        left.plot(*line.T, **_look(i), linewidth=0.9)
        left.plot(*line[0], marker="o", markersize=2.5, color=_look(i)["color"])
    left.set(
        xlabel=f"first principal component ({100 * share[0]:.0f} % of the variance)",
        ylabel=f"second ({100 * share[1]:.0f} %)",
    )
    left.set_title("latent trajectories", fontsize=9)
    for i, line in enumerate(arrays["prior"]):
        shade = 0.15 + 0.7 * i / max(1, len(arrays["prior"]) - 1)
        right.plot(*line.T, color=(shade * 0.9, 0.45, 1 - shade), linewidth=1.1)
        right.plot(*line[0], marker="o", markersize=2.5, color=(shade * 0.9, 0.45, 1 - shade))
    right.set_aspect("equal", adjustable="datalim")
    right.set(xlabel="$x_1$", ylabel="$x_2$")
    right.set_title("decoded samples of the prior", fontsize=9)
    names = ((0, "clockwise"), (1, "counter-clockwise"))
    left.legend(
        handles=[Line2D([], [], **_look(i), label=name) for i, name in names], loc="best", fontsize=7.5
    )
    return figure


def principal_plane(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """States (n, times, L) on their first two principal axes, (n, times, 2), and these axes' shares of variance."""
    flat = states.reshape(-1, states.shape[-1]).astype(np.float64)
    _, scale, axes = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    plane = (flat - flat.mean(0)) @ axes[:2].T
    return plane.reshape(*states.shape[:2], 2), (scale**2 / (scale**2).sum())[:2]


def _look(index: int) -> dict[str, Any]:
    """Every other spiral is clockwise."""
    return {"color": BLUE, "linestyle": DASHED} if index % 2 == 0 else {"color": ORANGE, "linestyle": "-"}


def caption(data: FigureData) -> str:
    arm, (_, arrays) = next(iter(stored(data, TABLE, "latent").items()))
    _, share = principal_plane(arrays["latent"])
    text = sentence(
        f"the {data.label(arm)} of the first seed: {len(arrays['latent'])} fresh spirals over the observed window, "
        f"in the plane of the two main directions, which hold {100 * share.sum():.0f} % of the variance"
    )
    starts = np.linalg.norm(arrays["latent"][:, 0], axis=-1)
    width = arrays["latent"].shape[-1]
    reach = float(np.sqrt(2 * special.gammaincinv(width / 2, INSIDE)))
    text += (
        f" They start {number(float(starts.min()))} to {number(float(starts.max()))} from the origin; of draws from the prior, a "
        f"standard normal in {width} dimensions, {100 * INSIDE:g} % lie within {number(reach)}, as "
        f"{100 * (starts <= reach).mean():.0f} % of these starts do."
    )
    return (
        f"{text} Right: {len(arrays['prior'])} draws from the prior over the same window, in colours that only tell them "
        "apart. Dots mark the start."
    )


def alt(data: FigureData) -> str:
    return (
        "Left, curves in a plane of the latent space, broken for clockwise and full for counter-clockwise spirals; "
        "right, curves in data space that samples of the prior decode to."
    )
