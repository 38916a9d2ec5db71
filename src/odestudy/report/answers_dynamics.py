"""What the study says of recovering dynamics from observations, and of badly conditioned ones."""

from __future__ import annotations

import math

from odestudy.analysis.facts import Facts
from odestudy.analysis.values import MISSING, number
from odestudy.report.sentences import because, sentence, source

RIVALS = {
    "gradient matching": "gradient matching on a spline, which solves no ODE,",
    "SINDy": "sparse regression (SINDy)",
    "residual stepper": "a net that predicts the next observation",
}


def recovery(f: Facts) -> list[str]:
    """Error, effort, forecasts."""
    return [_field(f), _effort(f), _forecast(f)]


def _field(f: Facts) -> str:
    own = f("C18a")
    if not own.known:
        return f"How accurately an unknown system is recovered is not known yet ({because(own)})."
    rivals = {name: own.beside[name] for name in RIVALS if math.isfinite(own.beside[name])}
    best = min(rivals, key=lambda name: rivals[name], default="")
    rival = f", {RIVALS[best]} {_than(rivals[best], own.low, own.high)} ({own.other(best)})" if best else ""
    return (
        f"A small net finds the field of an unknown nonlinear system to within {own.said} where there are data "
        f"({source(own)}){rival}, and whoever knows the form of the system gets to {own.other('true form by least squares')} "
        f"from the same data."
    )


def _than(value: float, low: float, high: float) -> str:
    return "comes nearer" if value < low else "stays farther" if value > high else "comes as near"


def _effort(f: Facts) -> str:
    time, memory = f("C18b"), f("C18c")
    parts = [f"a training takes {time.said} ({source(time)})"] if time.known else []
    if memory.known:
        parts.append(f"{'' if parts else 'a training '}keeps {memory.said} for the backward pass")
    return sentence(parts, f"what that takes is not known yet ({because(time)})", " and ")


def _forecast(f: Facts) -> str:
    fresh = f("C18e")
    parts = []
    if fresh.known:
        parts.append(
            f"from fresh initial states its forecasts are off by {fresh.said} times the signal's spread, median over seeds ({source(fresh)})"
        )
    windows = f.cell(
        "dynamics_walkthrough_summary", "field_error_pct", "%", system="gated", arm="mlp", schedule="constant",
        iterations="last",
    )  # fmt: skip
    if windows != MISSING:
        parts.append(
            f"trained on random windows of the data, as the walk-through (a tutorial, one of our sources) does, its field is off by {windows}{_recovered(f)}"
        )
    return sentence(parts, f"how it forecasts is not known yet ({because(fresh)})")


def _recovered(f: Facts) -> str:
    """How often the walk-through's own recipe gives the trajectory, which is another question than the field."""
    share = f("C15c")
    if not share.known:
        return ""
    seeds = int(share.row["seeds"])
    return f", and by its own recipe the learnt trajectory follows the true one on {share.value * seeds:.0f} of {seeds} seeds"


def conditioning(f: Facts) -> list[str]:
    """Rates far apart, eigenvectors and hidden modes, stiff systems, and why unstable ones crash."""
    return [_linear(f), _stiff(f), _crash(f)]


# Row -> (what is badly conditioned, how its number is called, what is said where the last one learnt is the first, which is 1).
KINDS = {
    "C17a": ("decay rates far apart", "a ratio of {}", "only where they are equal"),
    "C17b": (
        "nearly parallel eigenvectors",
        "an off-diagonal entry of {}",
        "only at an off-diagonal entry of 1",
    ),
    "C17c": (
        "a mode of small amplitude in the data",
        "an amplitude {} times smaller than the other's",
        "only where it is as large as the other",
    ),
}
LIMIT, IMPLICIT = "true form by least squares", "by one that changes to implicit steps"
GIVEN = "equations as given, by one that changes"


def _linear(f: Facts) -> str:
    learnt = {row: f(row) for row in KINDS if f(row).known}
    if not learnt:
        return f"Whether badly conditioned linear dynamics can be learnt is not known yet ({because(f('C17a'))})."
    sources = {source(last) for last in learnt.values()}
    parts = []
    for row, last in learnt.items():
        what, how, first = KINDS[row]
        found = "not at all"
        if last.value >= 1:
            found = first if last.value == 1 else f"up to {how.format(number(last.value, 2))}"
            found += ", which is all that were tried" if math.isinf(last.high) else ""
        allowed = last.beside[LIMIT]
        limit = f" ({number(allowed, 2)})" if math.isfinite(allowed) else ""
        parts.append(f"{what} {found}{limit}" + (f" ({source(last)})" if len(sources) > 1 else ""))
    together = f" (each: {sources.pop()})" if len(sources) == 1 else ""
    known = any(math.isfinite(last.beside[LIMIT]) for last in learnt.values())
    beside = " (in parentheses, least squares with the true form)" if known else ""
    return f"With equations and loss scaled these are learnt, of the values tried{beside}: {'; '.join(parts)}{together}."


def _stiff(f: Facts) -> str:
    damping, reaction = f("C17d"), f("C17e")
    parts = []
    if damping.known:
        found = (
            f"is followed up to a damping of {number(damping.value, 2)}"
            if damping.value >= 1
            else "is not followed"
        )
        others = {"by a solver that turns implicit": IMPLICIT, "with the equations as given": GIVEN}
        told = {how: b for how, name in others.items() if math.isfinite(b := damping.beside[name])}
        alike = " and ".join(how for how, value in told.items() if value == damping.value)
        apart = [f"{how} up to {number(v, 2)}" for how, v in told.items() if v != damping.value]
        beside = "".join(
            f", {part}"
            for part in [
                *(
                    [f"and just as far {alike}"]
                    if alike and damping.value >= 1
                    else [f"nor {alike}"]
                    if alike
                    else []
                ),
                *apart,
            ]
        )
        parts.append(f"the trajectory of Van der Pol's oscillator {found}{beside} ({source(damping)})")
    if reaction.known:
        error = f"the trajectory is off by {reaction.said} of its spread in the median"
        if not math.isfinite(reaction.value):
            error = "half of the learnt trajectories or more leave all bounds"
        parts.append(f"of Robertson's reaction {error} ({source(reaction)})")
    return sentence(parts, f"whether stiff systems can be learnt is not known yet ({because(damping)})", "; ")


def _crash(f: Facts) -> str:
    at, through = f("C16e"), f("C16b")
    if not at.known or not math.isfinite(at.value):
        return f"Why trainings on unstable systems crash is not known yet ({because(at)})."
    stiff = (
        " and stiffness is not, as back-propagation through the same solver does not crash"
        if through.refuted
        else ""
    )
    return (
        f"On an unstable system the adjoint, with torchdiffeq's default norm and a plain loss, gives no gradient once eigenvalue times horizon passes {at.said} ({source(at)}), "
        f"since its step gets too small: theory of the first step backward says {number(at.beside['as theory predicts'], 3)}, "
        f"so the tolerance of the solve backward is the cause{stiff}."
    )
