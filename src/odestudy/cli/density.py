"""`odestudy density FIT.csv`: from points to a density with its certificate, samples, pictures and a short report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from odestudy.errors import StudyError


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("density", help="fit a continuous flow to the points of a CSV file")
    parser.add_argument(
        "points", type=Path, metavar="FIT.csv", help="columns x1 ... xd, d at most 64; one row a point"
    )
    parser.add_argument(
        "--out", type=Path, default=None, help="folder for the results; FIT_density otherwise"
    )
    parser.add_argument("--iterations", type=_positive, default=1500, help="training steps (1500)")
    parser.add_argument(
        "--width", type=_positive, default=64, help="width of the net's two hidden layers (64)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of split, net and samples (0)")
    parser.add_argument("--samples", type=_positive, default=1000, help="samples to write (1000)")
    parser.add_argument(
        "--grid-points", type=_positive, default=120, help="points on a side of the grid (120)"
    )
    parser.set_defaults(act=act)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}; wanted: a whole number of at least 1")
    return int(text)


def act(options: argparse.Namespace) -> int:
    from odestudy.points.read import read_points

    values = read_points(options.points)  # a mistake in the file is told before torch is loaded
    from odestudy.points.certificate import certificate
    from odestudy.points.fit import FitSettings, fit_points
    from odestudy.points.report import present_fit
    from odestudy.points.write import write_fit
    from odestudy.runtime.outcome import NumericalFailure

    folder = options.out or options.points.with_name(f"{options.points.stem}_density")
    settings = FitSettings(iterations=options.iterations, width=options.width, seed=options.seed)
    print(f"{options.points}: {len(values)} points, d = {values.shape[1]}", flush=True)
    try:
        fitted = fit_points(values, settings)
        numbers, checks = certificate(fitted, grid_points=options.grid_points)
        sizes = {"samples": options.samples, "grid_points": options.grid_points}
        written = write_fit(folder, values, fitted, numbers, checks, **sizes)
    except NumericalFailure as failure:
        raise StudyError(f"{options.points}: {failure.status}, {failure}; try fewer --iterations") from None
    written += present_fit(folder, options.points.name, fitted, numbers, checks)
    for check in checks:
        print(f"{'holds' if check.holds else 'FAILS'}: {check.name} ({check.found}; wanted: {check.allowed})")
    print(f"{len(written)} files in {folder}; begin with {folder / 'report.html'}")
    return 0
