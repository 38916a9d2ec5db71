"""The integral of the density over the plane against the step, and what the density looks like at a coarse one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.lines import draw_line, line_handles, log_ticks_of_two
from odestudy.figures.scales import log_axis
from odestudy.figures.style import DASHED, GREY, WIDTH, look
from odestudy.figures.words import estimate, in_order, listing, seeds_and_bars, sentence

SHOWS = {
    "title": "Does the density integrate to one",
    "tables": ["density_integrals"],
    "arrays": ["trained"],
}

TABLE = "density_integrals"
MAPS = ("target", "trace_8", "logdet_8", "trace_2", "logdet_2")


def draw(data: FigureData) -> Figure:
    table, summary = _table(data), data.table(f"{TABLE}_summary")
    flows = in_order(summary, "flow")
    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[1.7, 1])
    upper, lower = parts
    styles = _styles(data, summary)
    for axes, flow in zip(upper.subplots(1, len(flows), squeeze=False, sharey=True)[0], flows, strict=True):
        mine = summary[summary["flow"] == flow]
        for (method, formula), style in styles.items():
            rows = mine[(mine["method"] == method) & (mine["formula"] == formula)]
            draw_line(axes, rows, "step", "integral", style)
        axes.axhline(1.0, color=GREY, linewidth=0.8, zorder=0)
        log_axis(axes, "y")
        log_ticks_of_two(axes, mine["step"])
        axes.set(title=data.label(flow), xlabel=data.axis("step"))
    upper.axes[0].set_ylabel("integral of the density")
    upper.legend(
        handles=line_handles({str(k): v for k, v in styles.items()}), loc="outside lower center", ncols=2
    )
    _draw_maps(data, lower, table, flows[0])
    return figure


def _draw_maps(data: FigureData, figure: Any, table: pd.DataFrame, flow: str) -> None:
    job = table[table["flow"] == flow]["job"].iloc[0]
    arrays = data.arrays(job)
    shown = [name for name in MAPS if name in arrays]
    top = float(arrays["target"].max())
    half = float(arrays["extent"])
    for axes, name in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        side = round(np.sqrt(arrays[name].size))
        axes.imshow(
            arrays[name].reshape(side, side), origin="lower", extent=(-half, half, -half, half), vmin=0, vmax=top,
            cmap="cividis", interpolation="nearest",
        )  # fmt: skip
        axes.set_axis_off()
        formula, _, steps = name.partition("_")
        axes.set_title(
            f"{data.label(formula, 'formula')}\nEuler, h = 1/{steps}" if steps else "target\n", fontsize=7.5
        )


def caption(data: FigureData) -> str:
    summary = data.table(f"{TABLE}_summary")
    table = _table(data)
    flow = in_order(summary, "flow")[0]
    mine = summary[(summary["flow"] == flow) & (summary["method"] == "euler")]
    steps = sorted(set(mine["step"]) & {1 / int(name.split("_")[1]) for name in MAPS if "_" in name})
    mine = mine[mine["step"] == steps[0]]
    said = [
        f"{estimate(data, row, 'integral', 3)} by the {data.label(row['formula'], 'formula')}"
        for _, row in mine.iterrows()
    ]
    text = sentence(
        f"for the {data.label(flow)} with Euler's method at h = 1/{round(1 / steps[0])} the density integrates to {listing(said)}"
    )
    bars = seeds_and_bars(data, table, summary, ["integral"], band=True)
    return f"{text} {bars} Below, the densities of the first seed on one scale of colour, cut off at the target's peak."


def alt(data: FigureData) -> str:
    return (
        "Above, the integral of the density against the step, which should be one; "
        "below, maps of the target's density and of the model's by both formulas at two coarse steps."
    )


def _table(data: FigureData) -> pd.DataFrame:
    table = data.table(TABLE)
    if table.empty:
        raise NothingToShow("no density was integrated")
    return table


def _styles(data: FigureData, summary: pd.DataFrame) -> dict[tuple[str, str], dict[str, Any]]:
    """(method, formula) -> look: the solver gives the colour, the formula marker and line."""
    found = {}
    for method in in_order(summary, "method"):
        for formula in in_order(summary, "formula"):
            dashed = {"linestyle": DASHED, "fillstyle": "none"} if formula == "logdet" else {"linestyle": "-"}
            label = f"{data.label(formula)}, {data.label(method, 'method')}"
            found[method, formula] = look(method) | dashed | {"label": label, "markersize": 4}
    return found
