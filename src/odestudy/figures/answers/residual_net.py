"""The ODE-Net relative to a residual net of six blocks."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from odestudy.analysis.facts import Facts, error_on_mnist, training_ratio
from odestudy.analysis.peaks import growth, peaks
from odestudy.analysis.values import number
from odestudy.figures.answers.advantages import SETS
from odestudy.figures.answers.chart import Panel, Point, in_colours
from odestudy.figures.answers.look import INK, OTHER, OWN, SOFT, canvas, message
from odestudy.figures.base import NothingToShow
from odestudy.figures.scales import log_axis

ERROR = "test error"
GROUPS = {OTHER: "less", OWN: "more", SOFT: "not told from equal"}  # colour -> what its bars have in common


def draw(f: Facts) -> tuple[Figure, str, tuple[Panel, ...]]:
    """A bar a measure, on a scale of ratios, the smallest first."""
    found = sorted((p for p in _ratios(f) if math.isfinite(p.value) and p.value > 0), key=lambda p: p.value)
    ratios = {p.at: p.value for p in found}
    if not ratios:
        raise NothingToShow("no residual net was measured beside the ODE-Net at this tier")
    figure, (axes,) = canvas(height=1.1 + 0.45 * len(ratios))
    apart = told_apart(f)
    for at, (name, value) in enumerate(ratios.items()):
        side = 1 if value > 1 else -1
        axes.plot([1, value], [at, at], color=_colour(name, value, apart), linewidth=7, solid_capstyle="butt")
        axes.annotate(f"{number(value, 2)} ×", (value, at), (7 * side, 0), textcoords="offset points", va="center",
                      ha="left" if side > 0 else "right", color=INK, fontweight="bold")  # fmt: skip
    axes.axvline(1, color=SOFT, linewidth=1)
    axes.set_yticks(range(len(ratios)), list(ratios))
    axes.set_ylim(len(ratios) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, labelsize=10, labelcolor=INK)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(min(0.4, min(ratios.values()) / 6), max(2.5, 3 * max(ratios.values())))
    log_axis(axes, "x")
    labels = [f"{number(value, 2)} ×" for value in ratios.values()]
    panel = Panel(
        "ratios", "ODE-Net over residual net of six blocks", in_colours(found, labels, lambda p: _colour(p.at, p.value, apart), GROUPS),
        log=("x",),
    )  # fmt: skip
    axes.set_xlabel(panel.title)
    message(figure, _says(ratios, apart))
    said = ", ".join(f"{name} {number(value, 2)}".replace("\n", " ") for name, value in ratios.items())
    return (
        figure,
        f"Bars on a scale of ratios, the ODE-Net over a residual net of six blocks: {said}.",
        (panel,),
    )


def _colour(name: str, ratio: float, errors_differ: bool) -> str:
    """That of less or more; of errors whose difference cannot be told from none, neither."""
    if name.startswith(ERROR) and not errors_differ:
        return SOFT
    return OWN if ratio > 1 else OTHER


def told_apart(f: Facts) -> bool:
    """Whether the difference of the test errors is larger than its interval; where it was not estimated, it counts."""
    error = error_on_mnist(f)
    return not error.known or error.low > 0 or error.high < 0


def _says(ratios: dict[str, float], errors_differ: bool) -> str:
    """The message: what is less and what is more; errors only where their difference can be told from none."""
    if not errors_differ:
        ratios = {name: value for name, value in ratios.items() if not name.startswith(ERROR)}
    less = [name.split("\n")[0].split()[-1] for name, value in ratios.items() if value < 0.95]
    more = [name.split("\n")[0].split()[-1] for name, value in ratios.items() if value > 1.05]
    parts = [f"{word} {' and '.join(names)}" for word, names in (("less", less), ("more", more)) if names]
    said = ", ".join(parts) or "no difference"
    return f"Beside a residual net: {said}".replace("less parameters", "fewer parameters")


def _ratios(f: Facts) -> list[Point]:
    """The ODE-Net by adjoint over the residual net, a measure a point."""
    error, memory, step = error_on_mnist(f), peaks(f), f("C11b")
    on_processor = ", on a processor" if growth(f).on_processor and not step.on_processor else ""
    if error.known:
        errors, shown = error.beside["ODE-Net, %"] / error.beside["ResNet 6, %"], "MNIST"
    else:
        errors, shown = _ratio(f, "images_accuracy_summary", "test_error_pct"), "digits"
    return [
        Point("parameters\n(nets for MNIST)", f("C10a").value),
        *(
            [
                Point(
                    f"memory\n({SETS[memory.dataset]}, adjoint{on_processor})", memory.adjoint / memory.blocks
                )
            ]
            if memory
            else []
        ),
        Point(f"{ERROR}\n({shown})", errors),
        Point(f"step time\n(MNIST{', on a GPU' if on_processor else ''})", step.value, step.low, step.high)
        if step.known
        else Point("step time\n(digits)", training_ratio(f)),
    ]


def _ratio(f: Facts, table: str, column: str) -> float:
    """What a summary has of both nets on digits, one over the other; NaN where it lacks one."""
    found = []
    for arm in ("odenet_adjoint", "resnet6"):
        rows = f.rows(table, dataset="digits", arm=arm)
        found.append(math.nan if rows.empty or column not in rows else float(rows.iloc[0][column]))
    return found[0] / found[1] if found[1] else math.nan
