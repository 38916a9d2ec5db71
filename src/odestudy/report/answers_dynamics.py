"""What the study says of recovering dynamics from observations, and of badly conditioned ones."""

from __future__ import annotations

import math

import pandas as pd

from odestudy.analysis.facts import Facts
from odestudy.analysis.values import MISSING, number
from odestudy.report.sentences import and_list, because, sentence, source

LEARNT_PCT, ROUGHLY_PCT = 10.0, 50.0
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
        f"({source(own)}){rival}, and the data would allow {own.other('true form by least squares')} to who knows the "
        f"system's form."
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
            f"from fresh initial states half of its seeds forecast to within {fresh.said} of the signal's spread ({source(fresh)})"
        )
    windows = f.cell(
        "dynamics_walkthrough_summary", "field_error_pct", "%", system="gated", arm="mlp", schedule="cosine",
        iterations="last",
    )  # fmt: skip
    if windows != MISSING:
        parts.append(
            f"trained on random windows of the data, as the walk-through does, its field is off by {windows}"
        )
    return sentence(parts, f"how it forecasts is not known yet ({because(fresh)})")


def conditioning(f: Facts) -> list[str]:
    """Rates far apart, eigenvectors and hidden modes, stiff systems."""
    return [_rates(f), _vectors(f), _stiff(f)]


def _case(f: Facts, claim: str, problem: str, arm: str, column: str) -> tuple[float, float, str, str, str]:
    """Ratio, error, the error in words, what the data allow, on how much it rests: of the row or the tier's largest ratio."""
    fact = f(claim)
    if fact.known:
        return (
            float(fact.where["k"]),
            fact.value,
            fact.said,
            fact.other("true form by least squares"),
            source(fact),
        )
    table = "dynamics_conditioning_summary"
    last = f.rows(table, problem=problem, k="last")
    mine = last[last["arm"] == arm] if len(last) else last
    if mine.empty or pd.isna(mine.iloc[0][column]):
        return math.nan, math.nan, "", "", because(fact)
    row = mine.iloc[0]
    said, allowed = (
        f.cell(table, column, "%", problem=problem, k=row["k"], arm=a) for a in (arm, "true_form")
    )
    return float(row["k"]), float(row[column]), said, allowed, f"{row['ok']} seeds; no verdict"


def _how(error: float) -> str:
    return "learnt" if error < LEARNT_PCT else "learnt roughly" if error < ROUGHLY_PCT else "not learnt"


def _rates(f: Facts) -> str:
    k, error, said, allowed, rests = _case(f, "C17a", "stiff", "reach", "field_error_pct")
    if math.isnan(error):
        return f"Whether decay rates far apart can be learnt is not known yet ({rests})."
    return (
        f"Decay rates {number(k)} times apart are {_how(error)}, with data and loss scaled and steps that are long enough: the "
        f"field is off by {said}, where the data allow {allowed} ({rests})."
    )


def _vectors(f: Facts) -> str:
    parts = []
    k, error, said, allowed, rests = _case(f, "C17b", "eigenvectors", "units", "field_error_pct")
    if not math.isnan(error):
        parts.append(
            f"nearly parallel eigenvectors are {_how(error)} (off by {said}; the data allow {allowed})"
        )
    k, error, said, allowed, rests = _case(f, "C17c", "data", "units", "fast_error_pct")
    if not math.isnan(error):
        parts.append(
            f"the rate of a mode that the data show {number(k)} times less than another is {_how(error)} (off by {said}; "
            f"the data allow {allowed})"
        )
    return sentence(
        parts, f"what nearly parallel eigenvectors and hidden modes do is not known yet ({rests})"
    )


STIFF = {
    "robertson": ("C17d", "Robertson's system"),
    "van_der_pol_1000": ("C17e", "Van der Pol's oscillator"),
}


def _stiff(f: Facts) -> str:
    groups: dict[str, list[str]] = {}
    table = "dynamics_stiff_summary"
    for system, (claim, name) in STIFF.items():
        fact = f(claim)
        rows = f.rows(table, system=system, method="kvaerno5", cure="in_units")
        if fact.known:
            error, said = fact.value, f"{fact.said}, {source(fact)}"
        elif len(rows) and not pd.isna(rows.iloc[0]["field_error_pct"]):
            error = float(rows.iloc[0]["field_error_pct"])
            said = f"{number(error, 2)} %, {number(rows.iloc[0]['ok'])} seed, no verdict"
        else:
            continue
        groups.setdefault(_how(error), []).append(f"{name} (off by {said})")
    parts = [f"{and_list(names)} {'is' if len(names) == 1 else 'are'} {how}" for how, names in groups.items()]
    unknown = f"whether stiff systems can be learnt is not known yet ({because(f('C17d'))})"
    return sentence(
        [f"with an implicit solver and scaled equations {'; '.join(parts)}"] if parts else [], unknown
    )
