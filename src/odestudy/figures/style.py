"""One map of colours and markers for all figures; colour-blind safe (Okabe and Ito)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import matplotlib

matplotlib.use("agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
GREY = "#767676"
DASHED, DASHDOT, DOTTED = (0, (5, 2)), (0, (6, 1.6, 1.2, 1.6)), (0, (1.2, 1.4))
LONG, DASHDOTDOT = (0, (9, 2)), (0, (6, 1.4, 1.2, 1.4, 1.2, 1.4))

HOLLOW = {"markerfacecolor": "white"}

# What a line or marker stands for -> how it is drawn, everywhere; colour never carries the difference alone.
LOOKS: dict[str, dict[str, Any]] = {
    "truth": {"color": BLACK, "marker": "", "linestyle": "-"},
    "data": {"color": GREY, "marker": "."},
    "linear": {"color": BLUE, "marker": "o", "linestyle": DASHED},
    "mlp": {"color": ORANGE, "marker": "s", "linestyle": DASHDOT},
    "linear_all": {"color": SKY, "marker": "D", "linestyle": LONG},
    "mlp_all": {"color": RED, "marker": "^", "linestyle": "-"},
    "true_form": {"color": BLACK, "marker": "*", "linestyle": "-"},
    "gradient_matching": {"color": GREEN, "marker": "v", "linestyle": DASHED},
    "stepper": {"color": PURPLE, "marker": "P", "linestyle": DOTTED},
    "sindy": {"color": YELLOW, "marker": "X", "linestyle": DASHDOT},
    "plain": {"color": BLUE, "marker": "o", "linestyle": DASHED},
    "units": {"color": ORANGE, "marker": "s", "linestyle": DASHDOT},
    "reach": {"color": GREEN, "marker": "^", "linestyle": "-"},
    "none": {"color": GREY, "marker": "x", "linestyle": DOTTED},
    "resnet1": {"color": SKY, "marker": "v", "linestyle": LONG},
    "resnet6": {"color": BLUE, "marker": "o", "linestyle": "-"},
    "odenet_backprop": {"color": ORANGE, "marker": "s", "linestyle": DASHED},
    "odenet_adjoint": {"color": RED, "marker": "^", "linestyle": DASHDOT},
    "odenet_seminorm": {"color": PURPLE, "marker": "D", "linestyle": DASHDOTDOT},
    "odenet_checkpointed": {"color": SKY, "marker": "X", "linestyle": LONG},
    "odenet_quadrature": {"color": BLACK, "marker": "v", "linestyle": DOTTED},
    "odenet_torchdiffeq": {"color": GREY, "marker": "h", "linestyle": DASHED},
    "tied6": {"color": GREEN, "marker": "D", "linestyle": DASHED},
    "perceptron": {"color": BLACK, "marker": "P", "linestyle": DOTTED},
    "walkthrough": {"color": PURPLE, "marker": "*", "linestyle": LONG},
    "scipy_adams": {"color": PURPLE, "marker": "P", "linestyle": DASHDOT},
    "backprop": {"color": ORANGE, "marker": "s", "linestyle": DASHED},
    "adjoint": {"color": RED, "marker": "^", "linestyle": DASHDOT},
    "adjoint_seminorm": {"color": PURPLE, "marker": "D", "linestyle": DASHDOTDOT},
    "euler": {"color": RED, "marker": "o", "linestyle": DOTTED},
    "midpoint": {"color": ORANGE, "marker": "s", "linestyle": DASHDOT},
    "rk4": {"color": BLUE, "marker": "^", "linestyle": DASHED},
    "dopri5": {"color": GREEN, "marker": "D", "linestyle": "-"},
    # Solvers: the colour tells the order, hollow markers the implicit ones.
    "heun2": {"color": ORANGE, "marker": "^", "linestyle": "-"},
    "adaptive_heun": {"color": ORANGE, "marker": "v", "linestyle": DASHED},
    "fehlberg2": {"color": ORANGE, "marker": "x", "linestyle": DOTTED},
    "heun3": {"color": SKY, "marker": "o", "linestyle": "-"},
    "bosh3": {"color": SKY, "marker": "s", "linestyle": DASHED},
    "rk4_classic": {"color": BLUE, "marker": "v", "linestyle": DOTTED},
    "tsit5": {"color": GREEN, "marker": "o", "linestyle": DASHED},
    "dopri8": {"color": BLACK, "marker": "*", "linestyle": "-"},
    "explicit_adams": {"color": PURPLE, "marker": "<", "linestyle": DOTTED},
    "implicit_adams": {"color": PURPLE, "marker": ">", "linestyle": "-"},
    "fixed_adams": {"color": PURPLE, "marker": "h", "linestyle": DASHED},
    "reversible_heun": {"color": ORANGE, "marker": "P", "linestyle": LONG},
    "reversible_rk4": {"color": BLUE, "marker": "P", "linestyle": LONG},
    "reversible_dopri5": {"color": GREEN, "marker": "P", "linestyle": LONG},
    "implicit_euler": {**HOLLOW, "color": RED, "marker": "o", "linestyle": "-"},
    "trapezoid": {**HOLLOW, "color": ORANGE, "marker": "s", "linestyle": "-"},
    "implicit_midpoint": {**HOLLOW, "color": ORANGE, "marker": "^", "linestyle": DASHED},
    "kvaerno3": {**HOLLOW, "color": SKY, "marker": "o", "linestyle": "-"},
    "kvaerno5": {**HOLLOW, "color": GREEN, "marker": "o", "linestyle": "-"},
    "rodas5p": {**HOLLOW, "color": GREEN, "marker": "D", "linestyle": DASHED},
    "auto": {**HOLLOW, "color": BLACK, "marker": "d", "linestyle": "-"},
    "trace": {"color": ORANGE, "marker": "s", "linestyle": "-"},
    "logdet": {"color": BLUE, "marker": "o", "linestyle": DASHED},
    "structured_trace": {"color": ORANGE, "marker": "D", "linestyle": "-"},
    "structured_logdet": {"color": BLUE, "marker": "v", "linestyle": "-"},
    "rademacher1": {"color": RED, "marker": "^", "linestyle": DOTTED},
    "rademacher10": {"color": PURPLE, "marker": "v", "linestyle": DASHDOT},
    "gaussian1": {"color": GREEN, "marker": "<", "linestyle": DOTTED},
    "gaussian10": {"color": SKY, "marker": ">", "linestyle": DASHDOT},
    "cnf": {"color": ORANGE, "marker": "s", "linestyle": "-"},
    "realnvp": {"color": BLUE, "marker": "o", "linestyle": DASHED},
    "planar": {"color": RED, "marker": "^", "linestyle": DOTTED},
    "kde": {"color": GREEN, "marker": "D", "linestyle": DASHDOT},
    "mixture": {"color": PURPLE, "marker": "v", "linestyle": LONG},
    "exact_trace": {"color": ORANGE, "marker": "s", "linestyle": "-"},
    "hutchinson": {"color": RED, "marker": "^", "linestyle": DOTTED},
    "diagonal": {"color": GREY, "marker": "x", "linestyle": DASHDOT},
    "checkpointed": {"color": BLUE, "marker": "o", "linestyle": "-"},
    "forward": {"color": BLACK, "marker": "*", "linestyle": DOTTED},
    "reversible": {"color": YELLOW, "marker": "P", "linestyle": "-"},
    "quadrature": {"color": GREEN, "marker": "v", "linestyle": LONG},
    "torchdiffeq_backprop": {"color": GREY, "marker": "s", "linestyle": "-"},
    "torchdiffeq_adjoint": {"color": GREY, "marker": "^", "linestyle": DASHED},
    "torchdiffeq_seminorm": {"color": GREY, "marker": "D", "linestyle": DOTTED},
    "torchode_backprop": {"color": SKY, "marker": "h", "linestyle": "-"},
    "dopri5_3": {"color": BLACK, "marker": "s", "linestyle": "none"},
    "dopri5_6": {"color": PURPLE, "marker": "D", "linestyle": "none"},
    "dopri5_9": {"color": GREEN, "marker": "v", "linestyle": "none"},
    "shared": {"color": RED, "marker": "^", "linestyle": DASHED},
    "own_steps": {"color": BLUE, "marker": "o", "linestyle": "-"},
    "alone": {"color": GREY, "marker": "x", "linestyle": DOTTED},
    "adams": {"color": BLUE, "marker": "o", "linestyle": "-"},
    "sum_one": {"color": ORANGE, "marker": "s", "linestyle": DASHED},
    "free": {"color": RED, "marker": "^", "linestyle": DOTTED},
    "elimination": {"color": BLUE, "marker": "o", "linestyle": DASHED},
    "rnn": {"color": GREY, "marker": "x", "linestyle": DOTTED},
    "rnn_gaps": {"color": BLUE, "marker": "o", "linestyle": DASHED},
    "ode_rnn": {"color": GREEN, "marker": "D", "linestyle": DASHDOT},
    "latent_rnn": {"color": PURPLE, "marker": "v", "linestyle": LONG},
    "latent_ode": {"color": ORANGE, "marker": "s", "linestyle": "-"},
    "loop": {"color": GREY, "marker": "x", "linestyle": DOTTED},
    "union": {"color": BLUE, "marker": "o", "linestyle": DASHED},
    "per_sample": {"color": RED, "marker": "^", "linestyle": DASHDOT},
    "shared_steps": {"color": ORANGE, "marker": "s", "linestyle": "-"},
    "published": {"color": BLACK, "marker": "*", "linestyle": "none"},
}  # fmt: skip
# For entries that configuration adds and LOOKS does not know yet, in the order in which a table holds them.
RESERVE: tuple[dict[str, Any], ...] = (
    {"color": GREEN, "marker": "P", "linestyle": DASHDOTDOT},
    {"color": PURPLE, "marker": "D", "linestyle": DOTTED},
    {"color": BLACK, "marker": "*", "linestyle": LONG},
    {"color": SKY, "marker": "<", "linestyle": "-"},
    {"color": GREY, "marker": "h", "linestyle": DASHED},
    {"color": ORANGE, "marker": "v", "linestyle": DASHED},
    {"color": BLUE, "marker": "s", "linestyle": DASHDOT},
    {"color": RED, "marker": "o", "linestyle": LONG},
)

SETTINGS: Any = {
    "svg.hashsalt": "odestudy",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.linewidth": 0.7,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8.5,
    "legend.handlelength": 3.2,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.dpi": 100,
    "lines.markersize": 5,
    "lines.linewidth": 1.4,
}
WIDTH = 7.2  # inches: the text width of the PDF
FAINT = 0.45  # opacity of single seeds beside their mean


def look(name: str, **changes: Any) -> dict[str, Any]:
    """The look of a thing, as keyword arguments of Axes.plot; an unknown name is grey.

    Its label is its name with blanks for underscores; what a question calls it stands in the question's configuration.
    """
    return {"color": GREY, "marker": ".", "label": name.replace("_", " ")} | LOOKS.get(name, {}) | changes


def looks(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """A look for each of several things; those LOOKS does not know get different ones out of the reserve."""
    names = list(names)
    new = [name for name in names if name not in LOOKS]
    reserve = {name: RESERVE[i % len(RESERVE)] for i, name in enumerate(new)}
    return {name: look(name, **reserve.get(name, {})) for name in names}


def canvas(rows: int = 1, columns: int = 1, *, height: float = 2.6, **options: Any) -> tuple[Figure, Any]:
    """A figure of the text's width with a grid of axes, `height` inches a row; axes as a 2-D array."""
    figure = Figure(figsize=(WIDTH, height * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def points_with_interval(
    axes: Axes, at: Any, mean: Any, low: Any, high: Any, *, horizontal: bool = False, **kind: Any
) -> None:
    """Markers with interval bars; where the interval is missing (few seeds) only the marker.

    `at` is the position along the other axis: x, or y where the values run horizontally.
    """
    bars = [(mean - low).fillna(0).clip(lower=0), (high - mean).fillna(0).clip(lower=0)]
    where: dict[str, Any] = (
        {"x": mean, "y": at, "xerr": bars} if horizontal else {"x": at, "y": mean, "yerr": bars}
    )
    options: dict[str, Any] = {"capsize": 2.5, "elinewidth": 1.2, "linestyle": "none"}
    axes.errorbar(**where, **(options | kind))


def legend_below(figure: Figure, handles: list[Any], columns: int = 4) -> None:
    """One legend for the whole figure, under it, in as many columns as its width holds."""
    for n in range(min(columns, len(handles)), 0, -1):
        legend = figure.legend(handles=handles, loc="outside lower center", ncols=n)
        if n == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()
