"""Work-precision diagrams: error against evaluations and against time, a problem that is not stiff and one that is."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.analysis.selecting import is_ok
from odestudy.analysis.values import chosen
from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import line_handles, method_looks, method_name
from odestudy.figures.scales import log_axis
from odestudy.figures.style import canvas, legend_below
from odestudy.figures.words import counted, in_order, listing, number, sentence

SHOWS = {
    "title": "Error against evaluations and time",
    "tables": ["gradients_work", "gradients_work_equal"],
}
TABLE, EQUAL = "gradients_work", "gradients_work_equal"
COLUMNS = ("nfe", "wall_s")
SHOWN = (
    "dopri5",
    "rodas5p",
)  # an explicit and an implicit method, beside those that the caption names; the table has all


def draw(data: FigureData) -> Figure:
    table = _table(data)
    problems, styles = in_order(table, "problem"), method_looks(_shown(data))
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
    equal = _equal(data)
    level = chosen(float(data.table(EQUAL)["level"].iloc[0]))
    said = []
    for problem, (best, quick) in _winners(equal).items():
        said.append(
            f"on {data.label(problem)} {method_name(best['method'])} ({_cost(best)}), and least time "
            f"{method_name(quick['method'])} ({number(1e3 * quick['level_wall_s'])} ms)"
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
    methods, shown = in_order(table, "method"), _shown(data)
    return (
        f"{text} Shown are {len(shown)} of {len(methods)} methods, the table has all. Adaptive methods over tolerances, the others "
        "over numbers of steps; evaluations are without those inside Jacobians, which are counted beside them, one product a "
        f"dimension each; median time of repeats.{lost}"
    )


def _equal(data: FigureData) -> pd.DataFrame:
    """What the wanted error takes, of the methods that reach it."""
    equal = data.table(EQUAL)
    return equal.dropna(subset=["level_nfe"]) if "level_nfe" in equal else pd.DataFrame()


def _winners(equal: pd.DataFrame) -> dict[str, tuple[pd.Series, pd.Series]]:
    """Problem -> the row with the fewest evaluations, and the one with the least time."""
    found = {}
    for problem in in_order(equal, "problem") if len(equal) else []:
        mine = equal[equal["problem"] == problem]
        found[problem] = (mine.sort_values("level_nfe").iloc[0], mine.sort_values("level_wall_s").iloc[0])
    return found


def _cost(row: pd.Series) -> str:
    """Evaluations and Jacobians at the level, as a bound where the coarsest setting is better than it."""
    bound = "at most " if str(row["reached"]).startswith("by") else ""
    jacobians = row.get("level_jacobians")
    beside = (
        f" and {counted(round(jacobians), 'Jacobian')}" if pd.notna(jacobians) and jacobians >= 0.5 else ""
    )
    return f"{bound}{row['level_nfe']:.0f}{beside}"


def _shown(data: FigureData) -> list[str]:
    """What the caption names, and two that most readers know."""
    named = {str(row["method"]) for pair in _winners(_equal(data)).values() for row in pair}
    methods = in_order(data.table(TABLE), "method")
    return [method for method in methods if method in named or method in SHOWN] or methods


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
