"""The error of the learnt field against how far decay rates lie apart."""

from __future__ import annotations

from matplotlib.figure import Figure

from odestudy.analysis.facts import Facts
from odestudy.analysis.values import number
from odestudy.figures.answers.chart import Panel, Series, points
from odestudy.figures.answers.look import OTHER, OWN, SOFT, beside_end, canvas, message
from odestudy.figures.base import NothingToShow
from odestudy.figures.scales import log_axis

TABLE = "dynamics_conditioning_summary"
ARMS = {
    "plain": ("trained as it is", OTHER),
    "time": ("states and time scaled", OWN),
    "true_form": ("true form, fitted", SOFT),
}
LOST = 1000.0  # percent: beyond, how far off says nothing


def draw(f: Facts) -> tuple[Figure, str, tuple[Panel, ...]]:
    """A line a way of training."""
    rows = f.rows(TABLE, problem="stiff", method="dopri5", share=1.0)
    if rows.empty or rows["field_error_pct"].dropna().empty:
        raise NothingToShow("no badly conditioned system was learnt at this tier")
    figure, (axes,) = canvas()
    said, series, reach = [], [], f("C17a")
    for arm, (name, colour) in ARMS.items():
        mine = rows[rows["arm"] == arm].dropna(subset=["field_error_pct"]).sort_values("k")
        if mine.empty:
            continue
        axes.plot(mine["k"], mine["field_error_pct"], color=colour, marker="o")
        last = mine.iloc[-1]
        label = f"{name}: {_percent(last['field_error_pct'])}"
        series.append(Series(name, colour, points(mine, "field_error_pct", x="k", at="a ratio of {}"), label))
        beside_end(axes, last["k"], last["field_error_pct"], label, colour,
                   above=7 if arm == "plain" else 0 if arm == "true_form" else -7)  # fmt: skip
        said.append(f"{name} {_percent(last['field_error_pct'])}")
    axes.set_xlim(rows["k"].min() / 1.3, rows["k"].max() * (rows["k"].max() / rows["k"].min()) ** 0.85)
    log_axis(axes, "x")
    log_axis(axes, "y")
    axes.set_xticks(sorted(set(rows["k"])))
    # To the right, where there are names and no data, there would be some, too.
    axes.tick_params(axis="x", which="minor", bottom=False)
    panel = Panel(
        "lines", "error of the learnt vector field", tuple(series), "%", "fast over slow decay rate", "error of the field (%)",
        ("x", "y"),
    )  # fmt: skip
    axes.set_xlabel(panel.x)
    axes.set_ylabel(panel.y)
    learnt = (
        f"learnt up to {number(reach.value, 2)} times, with states and time scaled"
        if reach.known and reach.value >= 1
        else "not learnt"
    )
    message(figure, f"Decay rates far apart: {learnt}")
    return (
        figure,
        f"Error of the learnt field against the ratio of decay rates; at the largest: {', '.join(said)}.",
        (panel,),
    )


def _percent(error: float) -> str:
    return f"over {LOST:,.0f} %" if error > LOST else f"{number(error, 2)} %"
