"""The error of the learnt field, by what learns it."""

from __future__ import annotations

import math
from dataclasses import replace

from matplotlib.figure import Figure

from odestudy.analysis.facts import Facts
from odestudy.analysis.values import number
from odestudy.figures.answers.chart import Panel, Point, in_colours, points
from odestudy.figures.answers.look import OTHER, OWN, SOFT, bars, canvas, message
from odestudy.figures.base import NothingToShow

RIVALS, TRUE = ("gradient matching", "SINDy", "residual stepper"), "true form by least squares"
GROUPS = {OWN: "Neural ODE", OTHER: "other ways", SOFT: "what the data allow"}


def draw(f: Facts) -> tuple[Figure, str, tuple[Panel, ...]]:
    """A bar a way of learning, the best first."""
    own = f("C18a")
    if not own.known:
        raise NothingToShow("no unknown system was recovered at this tier")
    windows = f.rows(
        "dynamics_walkthrough_summary", system="gated", arm="mlp", schedule="constant", iterations="last"
    )
    found = [Point("Neural ODE, all data at once", own.value, own.low, own.high)]
    found += [Point(name, own.beside[name], *f.around("C18a", name)) for name in RIVALS]
    found += [replace(p, at="Neural ODE, random windows") for p in points(windows, "field_error_pct")]
    found += [Point("the true form, fitted", own.beside[TRUE], *f.around("C18a", TRUE))]
    shown = sorted((p for p in found if math.isfinite(p.value)), key=lambda p: p.value)
    errors = {p.at: p.value for p in shown}
    figure, (axes,) = canvas(height=0.9 + 0.34 * len(errors))
    labels = [f"{number(error, 2)} %" for error in errors.values()]
    bars(axes, list(errors), list(errors.values()), labels, [_colour(name) for name in errors])
    simpler = [name for name in RIVALS if errors.get(name, math.inf) < own.value]
    message(figure, f"{_names(simpler)} than the Neural ODE" if simpler else "No simpler method comes nearer")
    panel = Panel(
        "bars",
        "error of the learnt vector field",
        in_colours(shown, labels, lambda p: _colour(p.at), GROUPS),
        "%",
    )
    axes.set_title(panel.title, loc="left")
    said = ", ".join(f"{name} {label}" for name, label in zip(errors, labels, strict=True))
    return figure, f"Bars of the relative error of the learnt vector field: {said}.", (panel,)


def _names(simpler: list[str]) -> str:
    text = " and ".join(simpler)
    return f"{text[0].upper()}{text[1:]} {'come' if len(simpler) > 1 else 'comes'} nearer to the truth"


def _colour(name: str) -> str:
    return OWN if name.startswith("Neural") else SOFT if name.startswith("the true") else OTHER
