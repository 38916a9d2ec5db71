"""The files of `odestudy fit`: tables, weights, pictures, and a report as Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from odestudy.analysis.csvs import write_csv
from odestudy.analysis.values import number
from odestudy.errors import DataError
from odestudy.fit.headings import slopes
from odestudy.fit.judge import SHARE, HeldOut, answer, can_hold_out, held_out
from odestudy.fit.learn import Settings, learn
from odestudy.fit.model import Ensemble, save
from odestudy.fit.noise import noise_of, signal_to_noise
from odestudy.fit.observations import Table
from odestudy.fit.pictures import draw_forecast, draw_portrait
from odestudy.fit.tables import MOST_GRID, field_table, forecast_table
from odestudy.report.markdown import escape, pipe_table
from odestudy.userdata.page import bullets, loading, write_report
from odestudy.userdata.progress import Progress

FILES = {
    "field.csv": "the learnt vector field on a grid, its spread over the models, and where data support it",
    "forecast.csv": "forecasts from each trajectory's first observation to twice its span",
    "weights.pt": "the models; torch.load(..., weights_only=True) reads them as well",
    "portrait.png": "observations, learnt trajectories and the vector field",
    "forecast.png": "observations and forecasts over time",
}
LOST = 1.0  # times the noise, below which a movement is not seen
FEW_ROWS = (
    "Too few rows to tell noise from movement: no trajectory has two rows in any fifth of its span. "
    "Ten or more rows for each trajectory would do."
)
ORDINALS = ("first", "second", "third", "fourth", "last")


def write_fit(table: Table, settings: Settings, folder: Path, source: str) -> Path:
    """Fit, judge and write everything; the path of the report.

    Raises:
        DataError: the folder cannot be written, or no model could be trained.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror})") from None
    judged, ensemble, cut = fit_and_judge(table, settings)
    save(ensemble, folder / "weights.pt")
    field, forecast = field_table(table, ensemble), forecast_table(table, ensemble)
    write_csv(field, folder / "field.csv")
    write_csv(forecast, folder / "forecast.csv")
    draw_portrait(table, field, forecast, folder / "portrait.png")
    draw_forecast(table, forecast, folder / "forecast.png")
    return write_report(folder, f"Fit of {source}", _parts(table, ensemble, judged, field, cut))


def fit_and_judge(table: Table, settings: Settings) -> tuple[HeldOut | None, Ensemble, str]:
    """A fit of all of the table, what one of its first part is worth on the rest, and where Ctrl-C cut it short."""
    n, judge = settings.iterations, can_hold_out(table)
    with Progress(
        n * (1 + judge), f"{settings.models} models, {n} training steps{' twice' * judge}"
    ) as progress:
        judged, done = None, 0
        if judge:
            seen = table.until(SHARE)
            ensemble = learn(seen, settings, progress.reach)
            judged = held_out(table, seen, ensemble)
            if progress.stopped:
                cut = f"Stopped after {ensemble.steps} of {n} training steps, on the first {round(100 * SHARE)} % of each trajectory only."
                return judged, ensemble, cut
            done = n
        ensemble = learn(table, settings, lambda i: progress.reach(done + i))
        cut = f"Stopped after {ensemble.steps} of {n} training steps" if progress.stopped else ""
        if judged and cut:
            cut += (
                ", so the models that are written are worse than those that were judged, which had all steps"
            )
        return judged, ensemble, cut and f"{cut}."


def _parts(
    table: Table, ensemble: Ensemble, judged: HeldOut | None, field: pd.DataFrame, cut: str
) -> list[str]:
    """The report in Markdown, the answer first, with every number out of the fit."""
    size = f"{ensemble.kind}, width {ensemble.width}" if ensemble.kind == "mlp" else ensemble.kind
    losses = [loss for loss in ensemble.losses if loss is not None]
    near, off = (_disagreement(table, field, where) for where in (True, False))
    facts = {
        "trajectories": str(len(table.t)),
        "observations": str(sum(map(len, table.t))),
        "columns": ", ".join(column.header for column in table.columns),
        "model": size,
        "models that trained to the end": f"{len(ensemble.models)} of {ensemble.tried}",
        "training steps": str(ensemble.steps),
        "final loss, in units of the data's variance": _span(losses) if losses else "n/a",
        "disagreement of the models near the data": near,
        "disagreement of the models off the data": off,
    }
    start = [float(f"{v:.6g}") for v in table.y[0][0]]
    span = [float(f"{v:.6g}") for v in (table.t[0][0], table.t[0][-1])]
    return [
        answer(judged),
        f"**{cut}**" if cut else "",
        bullets(table.notes),
        "![Observations (grey), learnt trajectories (orange) and the learnt vector field.](portrait.png)",
        "![Observations and forecasts, with the range of the models; right of the line nothing was observed.](forecast.png)",
        "Off the data the field is an extrapolation: where the models disagree, none of them should be trusted."
        + (
            ""
            if table.d <= MOST_GRID
            else " It has too many dimensions for a grid and is given at the observations."
        ),
        _signal(table),
        pipe_table(["", "value"], [[escape(k), escape(v)] for k, v in facts.items()]),
        loading(
            "odestudy.fit.model",
            "weights.pt",
            [f"print(model.slope([{start}]), model.forecast({start}, {span}))"],
        ),
        pipe_table(["file", "what it holds"], [[escape(name), escape(what)] for name, what in FILES.items()]),
    ]


def _signal(table: Table) -> str:
    """How far the state moves above the noise, fifth by fifth of the span, and what that means."""
    noise = noise_of(table)
    ratios = signal_to_noise(table, noise)
    if all(ratio != ratio for ratio in ratios):
        return f"**Signal to noise.** {FEW_ROWS}"
    share = 100 * noise / table.observed().spread
    worst = int(np.argmax(share))
    said = (
        f"**Signal to noise.** The noise, from how far observations are off a polynomial through their neighbours, is at most "
        f"{number(share[worst])} % of a column's standard deviation ({escape(table.columns[worst].header)}); bending from row to row counts "
        "as noise. Within each fifth of the span, a trajectory moves by so many times the noise:"
    )
    lost = [k for k, ratio in enumerate(ratios) if ratio < LOST]
    end = ""
    if lost:
        named = ", ".join(ORDINALS[k] for k in lost)
        end = f"In the {named} fifth the state moves less than the noise: these observations tell next to nothing of the field."
    heads = [f"{name} fifth" for name in ORDINALS]
    row = ["n/a" if ratio != ratio else number(ratio) for ratio in ratios]
    return "\n\n".join(part for part in (said, pipe_table(heads, [row]), end) if part)


def _disagreement(table: Table, field: pd.DataFrame, supported: bool) -> str:
    """Root mean square spread of the models over that of the slope, each in the column's own units, in per cent."""
    rows = field[field["supported"] == supported]
    if rows.empty:
        return "n/a"
    spread = table.observed().spread
    slope, gap = (
        rows[list(names)].to_numpy() / spread
        for names in zip(*slopes(table.columns, table.time), strict=True)
    )
    total = float((slope**2).sum(axis=1).mean() ** 0.5)
    return f"{number(100 * float((gap**2).sum(axis=1).mean() ** 0.5) / total)} %" if total > 0 else "n/a"


def _span(values: Sequence[float]) -> str:
    return f"{number(min(values))} to {number(max(values))}" if len(set(values)) > 1 else number(values[0])
