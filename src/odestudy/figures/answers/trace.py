"""The gap between trace and log-determinant against the step."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from odestudy.analysis.facts import Facts
from odestudy.analysis.values import number
from odestudy.figures.answers.chart import Panel, Series, points
from odestudy.figures.answers.look import INK, OTHER, OWN, SOFT, THIRD, canvas, message
from odestudy.figures.base import NothingToShow
from odestudy.figures.scales import log_axis

TABLE = "density_gap_summary"
METHODS = {"euler": ("Euler", OTHER), "midpoint": ("midpoint", THIRD), "rk4": ("RK4", OWN)}


def draw(f: Facts) -> tuple[Figure, str, tuple[Panel, ...]]:
    """A line a solver, with what counts as small."""
    rows = f.rows(TABLE, flow="ring", formula="trace", precision="float64")
    if rows.empty:
        raise NothingToShow("no trained flow was solved with several steps at this tier")
    figure, (axes,) = canvas()
    said, series = [], []
    for method, (name, colour) in METHODS.items():
        mine = rows[rows["method"] == method].dropna(subset=["gap_nat"]).sort_values("step")
        if mine.empty:
            continue
        axes.plot(mine["step"], mine["gap_nat"], color=colour, marker="o")
        first, last = mine.iloc[0], mine.iloc[-1]
        axes.annotate(name, (first["step"], first["gap_nat"]), (-8, 0), textcoords="offset points", ha="right", va="center",
                      color=colour, fontweight="bold")  # fmt: skip
        series.append(Series(name, colour, points(mine, "gap_nat", x="step", at="steps of {}"), name))
        said.append(f"{name} {number(last['gap_nat'], 2)} nat at a step of {number(last['step'], 2)}")
    log_axis(axes, "x")
    log_axis(axes, "y")
    axes.set_xlim(left=0.45 * axes.get_xlim()[0])
    limits = f.rows("density_limits_summary", flow="ring")
    small = f("C20a").beside["gap that counts as small"]
    limit = (small, f"small: {small:g} nat") if math.isfinite(small) else None
    if limit:
        axes.axhline(limit[0], color=SOFT, linewidth=1)
        axes.annotate(limit[1], (axes.get_xlim()[1], limit[0]), (-4, -4), textcoords="offset points", ha="right", va="top",
                      color=INK, fontsize=9)  # fmt: skip
    panel = Panel(
        "lines", "gap between trace and log-determinant", tuple(series), "nat", "step of the solver, on a time of one",
        "gap (nat)", ("x", "y"), limit,
    )  # fmt: skip
    axes.set_xlabel(panel.x)
    axes.set_ylabel(panel.y)
    largest = {str(row["method"]): row["largest_step"] for _, row in limits.iterrows()}
    steps = [f"{METHODS[m][0]} steps up to {number(largest[m], 2)}" for m in ("rk4", "euler") if m in largest]
    message(
        figure, f"The gap is small at {' and at '.join(steps)}" if steps else "The gap grows with the step"
    )
    return figure, f"Gap between trace and log-determinant against the step: {'; '.join(said)}.", (panel,)
