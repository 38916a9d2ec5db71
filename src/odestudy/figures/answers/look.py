"""How the pictures of the first page look: large type, few lines, labels where the eye is, ink that turns in the dark."""

from __future__ import annotations

import io
import textwrap
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odestudy.figures.style import SETTINGS

INK, SOFT, RULE = "#1b1f24", "#57606a", "#d0d7de"
OWN, OTHER, THIRD = "#b8480e", "#0067a5", "#00734f"
# What each becomes where the reader's pages are dark; all are legible on either ground.
DARK = {INK: "#e6edf3", SOFT: "#a5afba", RULE: "#3d444d", OWN: "#ff9d5c", OTHER: "#6cb6ff", THIRD: "#4fd1a0"}
WIDTH, HEIGHT = 5.6, 2.4  # inches; no wider, so that a telephone shows the words large enough
LINE = 54  # characters of a message
LOOK: Any = SETTINGS | {
    "font.size": 10,
    "axes.labelsize": 10,
    "axes.titlesize": 10,
    "axes.titleweight": "normal",
    "axes.grid": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.titlecolor": SOFT,
    "axes.edgecolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "lines.linewidth": 2.0,
    "lines.markersize": 6,
}


def canvas(panels: int = 1, *, height: float = HEIGHT, **options: Any) -> tuple[Figure, list[Axes]]:
    """A figure with some panels, one over the other."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, list(figure.subplots(panels, 1, squeeze=False, **options)[:, 0])


def message(figure: Figure, text: str) -> None:
    """What a picture says, over it."""
    figure.suptitle("\n".join(textwrap.wrap(text, LINE)), x=0.01, ha="left", fontsize=11.5, fontweight="bold")


def bars(axes: Axes, names: list[str], values: list[float], labels: list[str], colours: list[str]) -> None:
    """Horizontal bars from the axis, each with its name before and its number behind it."""
    axes.barh(range(len(names)), values, color=colours, height=0.62)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0, labelsize=10.5, labelcolor=INK)
    axes.spines["bottom"].set_visible(False)
    axes.set_xticks([])
    for at, (value, label) in enumerate(zip(values, labels, strict=True)):
        axes.annotate(label, (max(value, 0), at), (6, 0), textcoords="offset points", va="center", color=INK)
    axes.set_xlim(right=1.35 * max([*values, 1e-12]))


def beside_end(axes: Axes, x: float, y: float, text: str, colour: str, *, above: float = 0) -> None:
    """A line's name at its end, in its colour."""
    axes.annotate(
        text, (x, y), (7, above), textcoords="offset points", va="center", color=colour, fontweight="bold"
    )


def svg_of(figure: Figure) -> bytes:
    """A figure as SVG that is legible on light pages and on dark ones: same figure, same bytes."""
    buffer = io.BytesIO()
    with mpl.rc_context(LOOK):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    rules = "".join(
        f'[style*="{kind}: {light}"]{{{kind}:{dark} !important}}'
        for light, dark in DARK.items()
        for kind in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    text = buffer.getvalue().decode()
    return text.replace("<defs>", f"{style}\n <defs>", 1).encode()


def empty(reason: str) -> Figure:
    """What is shown where there is nothing to show."""
    figure, (axes,) = canvas(height=0.8)
    axes.set_axis_off()
    axes.text(0.5, 0.5, reason, ha="center", va="center", color=SOFT, transform=axes.transAxes)
    return figure
