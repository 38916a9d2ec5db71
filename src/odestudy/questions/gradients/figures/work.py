"""Work-precision diagrams: error against evaluations and against time, a problem that is not stiff and one that is."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import line_handles, method_looks, method_name
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import counted, in_order, is_ok, listing, number, sentence, setting

SHOWS = {
    "title": "Error against evaluations and time",
    "tables": ["gradients_work", "gradients_work_equal"],
}
TABLE, EQUAL = "gradients_work", "gradients_work_equal"
COLUMNS = ("nfe", "wall_s")
# Of two dozen methods those that can be told apart in one panel, filled explicit and hollow implicit; the table has all.
SHOWN = ("rk4", "dopri5", "dopri8", "explicit_adams", "trapezoid", "kvaerno3", "rodas5p", "auto")


def draw(data: FigureData) -> Figure:
    table = _table(data)
    problems, styles = in_order(table, "problem"), method_looks(_shown(table))
    figure, grid = canvas(len(problems), len(COLUMNS), height=3.5, sharey="row")
    for row, problem in zip(grid, problems, strict=True):
        for axes, column in zip(row, COLUMNS, strict=True):
            for method, style in styles.items():
                mine = table[(table["problem"] == problem) & (table["method"] == method)]
                axes.plot(mine[column], mine["error"], **style | {"markersize": 3.5})
            axes.set_xscale("log")
            log_axis(axes, "x")
            log_axis(axes, "y")
            axes.set(xlabel=data.axis(column), title=data.label(problem))
        row[0].set_ylabel(data.axis("error"))
    legend_below(figure, line_handles(styles), 4)
    return figure


def caption(data: FigureData) -> str:
    equal = data.table(EQUAL)
    level = setting(float(equal["level"].iloc[0]))
    equal = equal.dropna(subset=["level_nfe"]) if "level_nfe" in equal else pd.DataFrame()
    said = []
    for problem in in_order(equal, "problem") if len(equal) else []:
        mine = equal[equal["problem"] == problem].sort_values("level_nfe")
        best = [f"{method_name(r['method'])} ({_cost(r)})" for _, r in mine.head(3).iterrows()]
        quick = mine.sort_values("level_wall_s").iloc[0]
        said.append(
            f"on {data.label(problem)} {listing(best)}, and least time {method_name(quick['method'])} "
            f"({number(1e3 * quick['level_wall_s'])} ms)"
        )
    text = sentence(
        f"fewest evaluations for a relative error of {level}: {'; '.join(said)}"
        if said
        else f"no method reached {level}"
    )
    table = data.table(TABLE)
    failed = table[~is_ok(table)]
    lost = (
        f" {len(failed)} of {counted(len(table), 'setting')} were unstable or took too many steps."
        if len(failed)
        else ""
    )
    methods, shown = in_order(table, "method"), _shown(table)
    return (
        f"{text} Shown are {len(shown)} of {len(methods)} methods, the table has all. Adaptive methods over tolerances, the others "
        "over numbers of steps; evaluations are without those inside Jacobians, which are counted beside them, one product a "
        f"dimension each; median time of repeats.{lost}"
    )


def _cost(row: pd.Series) -> str:
    """Evaluations and Jacobians at the level, as a bound where the coarsest setting is better than it."""
    bound = "at most " if str(row["reached"]).startswith("by") else ""
    jacobians = row.get("level_jacobians")
    beside = (
        f" and {counted(round(jacobians), 'Jacobian')}" if pd.notna(jacobians) and jacobians >= 0.5 else ""
    )
    return f"{bound}{row['level_nfe']:.0f}{beside}"


def _shown(table: pd.DataFrame) -> list[str]:
    methods = in_order(table, "method")
    return [method for method in methods if method in SHOWN] or methods


def alt(data: FigureData) -> str:
    problems = listing(map(data.label, in_order(_table(data), "problem")))
    return (
        f"Log-log plots for {problems}, left error against evaluations, right against time, a line for each method. Where "
        "stability and not accuracy sets the steps a line stands upright."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty or "error" not in table:
        raise NothingToShow("no method was measured")
    return table.dropna(subset=["error"])
