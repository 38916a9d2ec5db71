"""Pictures and a short report of a density that was fitted to points."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import matplotlib as mpl

from odestudy.analysis.values import number
from odestudy.figures.style import SETTINGS
from odestudy.points.certificate import WORSE_BY, Check
from odestudy.points.figures import flow_animation, overview
from odestudy.points.fit import FittedPoints
from odestudy.points.read import Points
from odestudy.report.markdown import escape, pipe_table
from odestudy.userdata.page import bullets, loading, write_report

NUMBERS = {
    "test_nll_nat": "NLL of test points, in the units of the file (nat)",
    "test_nll_error_nat": "its standard error (nat)",
    "train_nll_nat": "NLL of training points (nat)",
    "ahead_of_mixture_nat": "ahead of the best Gaussian mixture on test points (nat)",
    "mixture_components": "components of that mixture",
    "mass": "integral by importance sampling",
    "effective_pct": "effective share of its samples (%)",
    "integral": "integral over a grid",
    "sliced_wasserstein": "sliced Wasserstein distance, samples from test points (standard deviations)",
    "sliced_wasserstein_of_train": "the same, training points from test points",
    "nfe": "evaluations of dopri5 at a tolerance of 1e-5",
    "lipschitz": "Lipschitz constant along the ways",
    "iterations": "training steps",
    "best_iteration": "training step that was kept",
}
HOW = {"likelihood": "maximum likelihood", "matching": "flow matching"}
WITHOUT_DATE: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}


def present_fit(
    folder: Path,
    source: str,
    points: Points,
    fitted: FittedPoints,
    numbers: dict[str, Any],
    checks: list[Check],
) -> list[Path]:
    """Write density.svg, .pdf and .png, in the plane and in space flow.gif, report.md and report.html; their paths."""
    written = []
    with mpl.rc_context(SETTINGS):
        figure = overview(fitted, [column.header for column in points.columns])
        for kind, metadata in WITHOUT_DATE.items():
            figure.savefig(folder / f"density.{kind}", dpi=200 if kind == "png" else 150, metadata=metadata)
            written.append(folder / f"density.{kind}")
        moving = flow_animation(fitted)
        if moving is not None:
            moving.save(folder / "flow.gif", writer="pillow", fps=8, dpi=100)
            written.append(folder / "flow.gif")
    parts = _parts(points, fitted, numbers, checks, moving is not None)
    page = write_report(folder, f"Density of {source}", parts)
    return [*written, folder / "report.md", page]


def answer(numbers: dict[str, Any]) -> str:
    """How good, compared with what, and whether the points suffice, in Markdown."""
    ahead, error = numbers["ahead_of_mixture_nat"], numbers["ahead_of_mixture_error_nat"]
    known = f"({number(ahead)} nat a point, standard error {number(error)})"
    mixture = f"a Gaussian mixture of {_counted(numbers['mixture_components'])} {known}"
    if not math.isfinite(ahead):
        said = "**Do not trust this density:** points that it did not see have no finite likelihood."
    elif ahead > WORSE_BY * error:
        said = f"**This density describes points that it did not see better** than {mixture}."
    elif ahead < -WORSE_BY * error:
        said = (
            f"**This density describes points that it did not see worse** than {mixture}: take the mixture."
        )
    else:
        said = f"**This density describes points that it did not see no better and no worse** than {mixture}."
    gap = numbers["test_nll_nat"] - numbers["train_nll_nat"]
    doubt = math.hypot(numbers["test_nll_error_nat"], numbers["train_nll_error_nat"])
    size = f"points that it was trained on are likelier by {number(gap)} nat (standard error {number(doubt)})"
    if gap > WORSE_BY * doubt:
        return f"{said} More points would help: {size}."
    return f"{said} The points suffice for this flow, as far as can be told: {size}."


def _counted(components: int) -> str:
    return f"{components} component{'s' if components > 1 else ''}"


def _parts(
    points: Points, fitted: FittedPoints, numbers: dict[str, Any], checks: list[Check], moves: bool
) -> list[str]:
    """The report as Markdown: answer, certificate, pictures, numbers."""
    held = sum(check.holds for check in checks)
    rows = [[check.name, "holds" if check.holds else "**fails**", escape(check.found), escape(check.allowed)] for check in checks]  # fmt: skip
    known = [[label, _said(numbers[key])] for key, label in NUMBERS.items() if key in numbers]
    wanted = fitted.settings.iterations
    cut = (
        f"**Stopped after {fitted.iterations} of {wanted} training steps.**"
        if fitted.iterations < wanted
        else ""
    )
    first = [float(f"{v:.6g}") for v in points.values[0]]
    return [
        answer(numbers),
        cut,
        f"A continuous normalising flow, fitted by {HOW[fitted.settings.train]} to {len(fitted.train)} of {numbers['n']} points, "
        f"d = {numbers['d']}; {len(fitted.test)} were held out for the figures above. {held} of {len(checks)} parts of its "
        "certificate hold.",
        bullets(points.notes),
        "![Points that were not trained on, the density, and samples of it](density.svg)",
        "![The flow from the normal base to the data](flow.gif)" if moves else "",
        pipe_table(["Certificate", "", "Found", "Wanted"], rows),
        pipe_table(["Number", "Value"], known),
        loading("odestudy.points.scaled", "flow.pt", [f"print(model.log_prob([{first}]), model.sample(3))"]),
        "`density.csv` has the density at every point, and the part of the split that the point fell into; "
        "`samples.csv` new samples; `certificate.json` all numbers; `flow.pt` the weights.",
    ]


def _said(value: float) -> str:
    """A count as it is, anything else rounded."""
    return str(value) if isinstance(value, int) else number(value)
