"""What `odestudy fit` writes: tables, weights, pictures, and a report of the fit as Markdown and HTML."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pypandoc

from odestudy.analysis.csvs import write_csv
from odestudy.analysis.values import number
from odestudy.errors import DataError
from odestudy.fit.learn import SHARE, Ensemble, Settings, held_out_error, learn, save
from odestudy.fit.observations import Table
from odestudy.fit.pictures import draw_forecast, draw_portrait
from odestudy.fit.tables import MOST_GRID, field_table, forecast_table
from odestudy.report.markdown import escape, pipe_table
from odestudy.runtime.outcome import Row

FILES = {
    "field.csv": "the learnt vector field on a grid, its spread over the models, and where data support it",
    "forecast.csv": "forecasts from each trajectory's first observation to twice its span",
    "weights.pt": "the models; odestudy.fit.learn.load reads them, torch.load(..., weights_only=True) as well",
    "portrait.png": "observations, learnt trajectories and the vector field",
    "forecast.png": "observations and forecasts over time",
}


def write_fit(table: Table, settings: Settings, folder: Path, source: str) -> Path:
    """Fit, judge and write everything; the path of the report.

    Raises:
        DataError: the folder cannot be written, or no model could be trained.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror})") from None
    judged = held_out_error(table, settings)
    ensemble = learn(table, settings)
    field, forecast = field_table(table, ensemble), forecast_table(table, ensemble)
    write_csv(field, folder / "field.csv")
    write_csv(forecast, folder / "forecast.csv")
    save(ensemble, folder / "weights.pt")
    draw_portrait(table, field, forecast, folder / "portrait.png")
    draw_forecast(table, forecast, folder / "forecast.png")
    text = report(table, ensemble, judged, field, source)
    (folder / "report.md").write_text(text, encoding="utf-8")
    page = folder / "report.html"
    pypandoc.convert_text(
        text, "html", format="markdown", outputfile=str(page),
        extra_args=["--standalone", "--embed-resources", f"--resource-path={folder}", "--metadata=lang:en"],
    )  # fmt: skip
    return page


def report(table: Table, ensemble: Ensemble, judged: Row, field: pd.DataFrame, source: str) -> str:
    """Markdown with every number out of the fit."""
    settings = ensemble.settings
    trained = [row for row in ensemble.rows if row["status"] == "ok"]
    inside, outside = (_disagreement(field, table.d, where) for where in (True, False))
    facts = {
        "trajectories": str(len(table.t)),
        "observations": str(sum(len(t) for t in table.t)),
        "dimensions": str(table.d),
        "model": f"{settings.model}, width {settings.width}" if settings.model == "mlp" else settings.model,
        "models that trained to the end": f"{len(trained)} of {len(ensemble.rows)}",
        "training steps": str(settings.iterations),
        "final loss, in units of the data's variance": _span([row["train_loss"] for row in trained]),
        "disagreement of the models near the data": f"{number(inside)} %",
        "disagreement of the models off the data": f"{number(outside)} %",
    }
    lines = [
        "---",
        f"title: {json.dumps(f'Fit of {escape(source)}')}",
        "---",
        "",
        _verdict(judged),
        "",
        pipe_table(["", "value"], [[escape(k), escape(v)] for k, v in facts.items()]),
        "![Observations (grey), learnt trajectories (orange) and the learnt vector field.](portrait.png)",
        "",
        "![Observations and forecasts, with the range of the models; right of the line nothing was observed.](forecast.png)",
        "",
        "Off the data the field is an extrapolation: where the models disagree, none of them should be trusted.",
        ""
        if table.d <= MOST_GRID
        else "The field has too many dimensions for a grid; it is given at the observations.",
        "",
        pipe_table(["file", "what it holds"], [[escape(name), escape(what)] for name, what in FILES.items()]),
    ]
    return "\n".join(lines)


def _verdict(judged: Row) -> str:
    """What the forecast of held-out points says, in words."""
    mine, still = judged["held_out_nrmse"], judged["standing_still_nrmse"]
    if judged["held_out_points"] == 0:
        return "No trajectory is long enough to hold points out, so nothing tells how far the fit can be trusted."
    kept = f"the last {round(100 * (1 - SHARE))} % of each trajectory ({judged['held_out_points']} points)"
    if mine is None or mine != mine:
        return (
            f"A fit that did not see {kept} could not be continued over them: **do not trust its forecasts.**"
        )
    text = (
        f"A fit that did not see {kept} forecasts them with a root mean square error of **{number(mine)}** standard "
        f"deviations of the data; that nothing changes would be wrong by {number(still)}."
    )
    return text if mine < still else f"{text} **The fit forecasts no better than standing still.**"


def _disagreement(field: pd.DataFrame, d: int, supported: bool) -> float:
    """Mean spread of the models over the mean size of the slope, in per cent."""
    rows = field[field["supported"] == supported]
    if rows.empty:
        return float("nan")
    spread, slope = (rows[[f"dy{i}{end}" for i in range(1, d + 1)]].to_numpy() for end in ("_spread", ""))
    return 100 * float(
        (spread**2).sum(axis=1).mean() ** 0.5 / max((slope**2).sum(axis=1).mean() ** 0.5, 1e-300)
    )


def _span(values: list[float]) -> str:
    return f"{number(min(values))} to {number(max(values))}" if len(set(values)) > 1 else number(values[0])
