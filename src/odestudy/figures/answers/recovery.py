"""The error of the learnt field, by what learns it."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from odestudy.analysis.facts import Facts
from odestudy.analysis.values import number
from odestudy.figures.answers.look import OTHER, OWN, SOFT, bars, canvas, message
from odestudy.figures.base import NothingToShow

RIVALS = ("gradient matching", "SINDy", "residual stepper")


def draw(f: Facts) -> tuple[Figure, str]:
    """A bar a way of learning, the best first."""
    own = f("C18a")
    if not own.known:
        raise NothingToShow("no unknown system was recovered at this tier")
    windows = f.rows(
        "dynamics_walkthrough_summary", system="gated", arm="mlp", schedule="cosine", iterations="last"
    )
    found = {"Neural ODE, all data at once": own.value} | {name: own.beside[name] for name in RIVALS}
    found |= {
        "Neural ODE, random windows": math.nan if windows.empty else float(windows.iloc[0]["field_error_pct"])
    }
    found |= {"the true form, fitted": own.beside["true form by least squares"]}
    errors = {name: x for name, x in sorted(found.items(), key=lambda item: item[1]) if math.isfinite(x)}
    figure, (axes,) = canvas(height=0.9 + 0.34 * len(errors))
    labels = [f"{number(error, 2)} %" for error in errors.values()]
    bars(axes, list(errors), list(errors.values()), labels, [_colour(name) for name in errors])
    simpler = [name for name in RIVALS if errors.get(name, math.inf) < own.value]
    message(figure, f"{_names(simpler)} than the Neural ODE" if simpler else "No simpler method comes nearer")
    axes.set_title("error of the learnt vector field", loc="left")
    said = ", ".join(f"{name} {label}" for name, label in zip(errors, labels, strict=True))
    return figure, f"Bars of the relative error of the learnt vector field: {said}."


def _names(simpler: list[str]) -> str:
    text = " and ".join(simpler)
    return f"{text[0].upper()}{text[1:]} {'come' if len(simpler) > 1 else 'comes'} nearer to the truth"


def _colour(name: str) -> str:
    return OWN if name.startswith("Neural") else SOFT if name.startswith("the true") else OTHER
