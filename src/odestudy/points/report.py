"""Pictures and a short report of a density that was fitted to points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import pypandoc

from odestudy.analysis.values import number
from odestudy.figures.style import SETTINGS
from odestudy.points.certificate import Check
from odestudy.points.figures import flow_animation, overview
from odestudy.points.fit import FittedPoints
from odestudy.report.markdown import escape, pipe_table
from odestudy.runtime.files import write_atomically

NUMBERS = {
    "test_nll_nat": "NLL of test points (nat)",
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
    "best_iteration": "training step that was kept",
    "train_s": "training time (s)",
}


def present_fit(
    folder: Path, source: str, fitted: FittedPoints, numbers: dict[str, Any], checks: list[Check]
) -> list[Path]:
    """Write density.svg, .pdf and .png, in the plane and in space flow.gif, report.md and report.html; their paths."""
    written = []
    with mpl.rc_context(SETTINGS):
        figure = overview(fitted)
        for kind in ("svg", "pdf", "png"):
            figure.savefig(folder / f"density.{kind}", dpi=200 if kind == "png" else 150)
            written.append(folder / f"density.{kind}")
        moving = flow_animation(fitted)
        if moving is not None:
            moving.save(folder / "flow.gif", writer="pillow", fps=8, dpi=100)
            written.append(folder / "flow.gif")
    text = _report(source, numbers, checks, moving is not None)
    write_atomically(folder / "report.md", (text + "\n").encode())
    options = ["--standalone", "--embed-resources", f"--resource-path={folder}", "--metadata=lang:en"]
    page = pypandoc.convert_text(
        text, "html5", format="markdown", extra_args=[*options, f"--metadata=pagetitle:{source}"]
    )
    write_atomically(folder / "report.html", page.encode())
    return [*written, folder / "report.md", folder / "report.html"]


def _report(source: str, numbers: dict[str, Any], checks: list[Check], moves: bool) -> str:
    """The report as Markdown: verdict, checks, pictures, numbers."""
    held = sum(check.holds for check in checks)
    rows = [[check.name, "holds" if check.holds else "**fails**", escape(check.found), escape(check.allowed)] for check in checks]  # fmt: skip
    known = [[label, _said(numbers[key])] for key, label in NUMBERS.items() if key in numbers]
    pictures = ["![Points that were not trained on, the density, and samples of it](density.svg)"]
    pictures += ["![The flow from the normal base to the data](flow.gif)"] if moves else []
    return "\n\n".join(
        [
            f"# Density of {escape(source)}",
            f"A continuous normalising flow, fitted by maximum likelihood to {numbers['n']} points, d = {numbers['d']}. {held} of {len(checks)} parts of its certificate hold.",
            pipe_table(["Certificate", "", "Found", "Wanted"], rows),
            *pictures,
            pipe_table(["Number", "Value"], known),
            "`density.csv` has the density at every point, and the part of the split that the point fell into; "
            "`samples.csv` new samples; `certificate.json` all numbers; `flow.pt` the weights.",
        ]
    )


def _said(value: float) -> str:
    """A count as it is, anything else rounded."""
    return str(value) if isinstance(value, int) else number(value)
