"""Work-precision diagrams: error against evaluations and against time, a problem that is not stiff and one that is."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from odestudy.present.figures.base import FigureData, NothingToShow
from odestudy.present.figures.lines import line_handles, method_looks, method_name
from odestudy.present.figures.scales import log_axis
from odestudy.present.figures.style import canvas, legend_below
from odestudy.present.figures.words import counted, in_order, is_ok, listing, number, sentence

TABLE, EQUAL = "gradients_work", "gradients_work_equal"
COLUMNS = ("nfe", "wall_s")


def draw(data: FigureData) -> Figure:
    table = _table(data)
    problems, styles = in_order(table, "problem"), method_looks(in_order(table, "method"))
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
    level = f"{float(equal['level'].iloc[0]):g}"
    equal = equal.dropna(subset=["level_nfe"]) if "level_nfe" in equal else pd.DataFrame()
    said = []
    for problem in in_order(equal, "problem") if len(equal) else []:
        mine = equal[equal["problem"] == problem].sort_values("level_nfe")
        best = [f"{method_name(r['method'])} ({number(r['level_nfe'])})" for _, r in mine.head(2).iterrows()]
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
    return f"{text} Adaptive methods over tolerances, the others over numbers of steps; evaluations without those inside Jacobians; median time of repeats.{lost}"


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
