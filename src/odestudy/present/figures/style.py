"""One map of colours, markers and labels for all figures; colour-blind safe (Okabe and Ito)."""

from __future__ import annotations

from typing import Any

import matplotlib

matplotlib.use("agg")

from matplotlib.axes import Axes  # noqa: E402  (the backend is chosen first)
from matplotlib.figure import Figure  # noqa: E402

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
GREY = "#767676"

# What a line or marker stands for -> how it is drawn, everywhere.
LOOKS: dict[str, dict[str, Any]] = {
    "truth": {"color": BLACK, "linestyle": "-"},
    "data": {"color": GREY, "marker": "."},
    "linear": {"color": BLUE, "marker": "o", "label": "linear model"},
    "mlp": {"color": ORANGE, "marker": "s", "label": "MLP"},
    "none": {"color": GREY, "marker": "x", "label": "no block"},
    "resnet1": {"color": SKY, "marker": "v", "label": "ResNet 1"},
    "resnet6": {"color": BLUE, "marker": "o", "label": "ResNet 6"},
    "odenet_backprop": {"color": ORANGE, "marker": "s", "label": "ODE-Net, back-propagation"},
    "odenet_adjoint": {"color": RED, "marker": "^", "label": "ODE-Net, adjoint"},
    "backprop": {"color": ORANGE, "marker": "s", "label": "back-propagation"},
    "adjoint": {"color": RED, "marker": "^", "label": "adjoint"},
    "adjoint_seminorm": {"color": PURPLE, "marker": "D", "label": "adjoint, seminorm"},
}

SETTINGS: dict[str, Any] = {
    "svg.hashsalt": "odestudy",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.dpi": 100,
    "lines.markersize": 5,
}
WIDTH = 7.2  # inches: the text width of the PDF


def look(name: str, **changes: Any) -> dict[str, Any]:
    """The look of a thing, as keyword arguments of Axes.plot; unknown names get a grey one with their own name."""
    return {"color": GREY, "marker": ".", "label": name} | LOOKS.get(name, {}) | changes


def canvas(rows: int = 1, columns: int = 1, *, height: float = 2.6, **options: Any) -> tuple[Figure, Any]:
    """A figure of the text's width with a grid of axes, `height` inches a row; axes as a 2-D array."""
    figure = Figure(figsize=(WIDTH, height * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def points_with_interval(axes: Axes, x: Any, mean: Any, low: Any, high: Any, **kind: Any) -> None:
    """Markers with interval bars; where the interval is missing (few seeds) only the marker."""
    below, above = mean - low, high - mean
    axes.errorbar(x, mean, yerr=[below.fillna(0), above.fillna(0)], capsize=3, **kind)
