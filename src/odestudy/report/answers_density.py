"""What the study says of modelling densities, and of the trace against the log-determinant."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from odestudy.analysis.facts import Facts
from odestudy.analysis.values import chosen, number
from odestudy.report.sentences import and_list, because, sentence, source

MODELS = {
    "RealNVP": "RealNVP",
    "Gaussian mixture": "a Gaussian mixture",
    "kernel estimate": "a kernel estimate",
}

FAR = 3.0  # times the median distance: a training that went astray


def density(f: Facts) -> list[str]:
    """Distance from the truth, at equal time, limits."""
    return [_divergence(f), _equal_time(f), _limits(f)]


def _divergence(f: Facts) -> str:
    own = f("C22a")
    if not own.known:
        return f"How near a flow comes to a complicated density is not known yet ({because(own)})."
    others = and_list([f"{name} {own.other(model)}" for model, name in MODELS.items()])
    steps = own.where.get("iterations", 0)
    return (
        f"From a checkerboard, whose true density is known, a continuous flow stays {own.said} away after {steps:,} training steps "
        f"({source(own)}{_astray(f)}){_shorter(f)}; {_in_less_time(f, steps)}{others}."
    )


def _astray(f: Facts) -> str:
    """How many trainings ended far from the others, where some did, since the mean then tells of none of them."""
    own = f("C22a")
    rows = f.rows("density_curve", **own.where)
    values = pd.Series(dtype=float) if rows.empty else rows["excess_nat"].dropna()
    values = values[values > 0]
    # The row of the ledger may be of another tier than the table.
    if values.empty or not math.isclose(float(np.exp(np.log(values).mean())), own.value, rel_tol=1e-6):
        return ""
    far = values > FAR * values.median()
    if not far.any():
        return ""
    ends = [f"{number(v, 2)}" for v in (values[~far].min(), values[~far].max(), values[far].max())]
    return (
        f"; {far.sum()} of them went astray, to {ends[2]} nat, the others end between {ends[0]} and {ends[1]}"
    )


def _shorter(f: Facts) -> str:
    """Where a shorter training ended."""
    own, after = f("C22a"), "after 1,000, nat"
    return f", {own.other(after, 'nat')} {after.removesuffix(', nat')}" if after in own.beside else ""


def _in_less_time(f: Facts, steps: int) -> str:
    """What the flow itself reaches in the time that the models beside it had, where that was a shorter one."""
    rows = f.rows("density_time_summary", target="checkerboard", model="cnf")
    runs = f.rows("density_time", target="checkerboard", model="cnf")
    if rows.empty or runs.empty or runs["iterations"].max() == steps:
        return ""
    shorter = f"{number(float(runs['iterations'].max()), 3)}"
    return f"in the time of {shorter} steps the flow comes to {number(float(rows['excess_nat'].iloc[0]), 2)} nat, "


def _equal_time(f: Facts) -> str:
    fact = f("C22f")
    if not fact.known:
        return f"How it does beside RealNVP in the same training time is not known yet ({because(fact)})."
    beside = f"{fact.said} times the distance of RealNVP ({source(fact)})"
    if fact.low <= 1 <= fact.high:
        return f"In the same training time it ends at {beside}: which is nearer is not decided."
    way = "farther away" if fact.low > 1 else "nearer"
    return f"In the same training time it ends {way} than RealNVP, at {beside}."


# A property of the target -> the row that says how much further away a flow ends, and the one of how much steeper it is.
PROPERTIES = {"parts that lie apart": ("C22k", "C22b"), "thin parts": ("C22l", "C22c")}


def _limits(f: Facts) -> str:
    hard = [_property(f, what) for what, (row, _) in PROPERTIES.items() if f(row).low > f(row).resolution]
    met = [_property(f, what) for what, (row, _) in PROPERTIES.items() if f(row).high <= f(row).resolution]
    high, tails = f("C22e"), f("C22d")
    if high.known and high.low > 1:
        hard.append(f"many dimensions ({f.named('C22e')}: {high.said} times, {source(high)})")
    ratio = f"{f.named('C22d')}: {tails.said} times, {source(tails)}" if tails.known else ""
    if tails.known and tails.high < 1:  # how far out the flow's samples reach
        hard.append(f"heavy tails ({ratio})")
    if tails.known and tails.low > 1:
        hard.append(f"heavy tails, beyond which its samples reach ({ratio})")
    parts = [f"what makes a target hard: {and_list(hard)}"] if hard else []
    if met:
        parts.append(
            f"what makes the flow's field steeper, but takes it hardly farther away: {and_list(met)}"
        )
    if tails.known and tails.low <= 1 <= tails.high:
        parts.append(
            f"heavy tails are met as far as nearly all samples lie ({ratio}), yet further out they stay Gaussian, as the flow's slope is bounded"
        )
    if f("C27a").supported:
        parts.append("no flow can swap two points on a line, since its paths do not cross")
    return sentence(parts, f"what limits the target is not known yet ({because(f('C22k'))})")


def _property(f: Facts, what: str) -> str:
    """By how much it takes a flow further away, and how much steeper."""
    row, steeper = PROPERTIES[what]
    slope = f(steeper)
    times = (
        f", by a field {'' if slope.sure else 'so far '}{slope.short} times as steep" if slope.known else ""
    )
    return f"{what} ({f.named(row)}: {f(row).said}{times}, {source(f(row))})"


def trace(f: Facts) -> list[str]:
    """The gap at an affordable step, training at coarse steps, what is gained."""
    return [_gap(f), _coarse(f), _gain(f)]


def _gap(f: Facts) -> str:
    own, euler, rk4 = f("C20a"), f("C20g"), f("C20h")
    if not own.known:
        return f"How far the trace is from the determinant at an affordable step is not known yet ({because(own)})."
    small = own.beside["gap that counts as small"]
    lead = (
        "At steps that one can afford the trace is of use with a solver of higher order"
        if own.low < small
        else "At steps that one can afford the trace is hardly of use, even with a solver of higher order"
    )
    steps = f"; a gap of {chosen(small)} nat allows RK4 steps of {rk4.said}, Euler steps of {euler.said} ({source(rk4)})" if euler.known and rk4.known else ""  # fmt: skip
    return (
        f"{lead}: with RK4 steps of {chosen(own.where['step'])} on a trained flow the trace is {own.said} from the exact log-determinant of the computed "
        f"map ({source(own)}){steps}."
    )


def _coarse(f: Facts) -> str:
    own, exact = f("C20k"), f("C20l")
    if not own.known:
        return f"What training by the trace at coarse steps does is not known yet ({because(own)})."
    euler_steps = number(1 / own.where["step"])
    by_determinant = f", and {exact.said} by the log-determinant ({source(exact)})" if exact.known else ""
    if own.high < 0:
        lead = f"With {euler_steps} Euler steps training exploits the gap, and the flow claims to be better than the truth"
    else:
        lead = f"With {euler_steps} Euler steps a flow trained by the trace does not claim to be better than the truth"
    return (
        f"{lead}: its NLL minus the true entropy is {own.said} by the trace ({source(own)}){by_determinant}."
    )


def _gain(f: Facts) -> str:
    high, fast, growth = f("C20b"), f("C20o"), f("C21b")
    if not high.known:
        return f"What the trace gains at an equal error is not known yet ({because(high)})."
    gain = "little" if high.value < 2 else "much"
    plane = (
        f", in the plane on a flow that needs many steps {fast.said} times ({source(fast)})"
        if fast.known
        else ""
    )
    structure = (
        ", although the determinant of this net's step, by its structure, is not cubic in the dimension as that of a general matrix is"
        if growth.refuted
        else ""
    )
    advice = (
        "the log-determinant (6), which is exact for the map as computed, costs hardly more"
        if gain == "little"
        else "the trace (7) is of use, and the log-determinant (6) where the map as computed has to be a density, as in training at coarse steps"
    )
    return (
        f"At an equal error of the likelihood the trace gains {gain}: the log-determinant takes {high.said} times "
        f"as long ({f.named('C20b')}; {source(high)}){plane}{structure}; so {advice}."
    )
