"""`odestudy density FILE.csv`: from points to a density with its certificate, samples, pictures and a short report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from odestudy.errors import DataError, StudyError
from odestudy.userdata.options import positive, shared_options


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "density",
        help="fit a continuous flow to the points of a CSV file",
        epilog="Example: odestudy density points.csv --out flow",
    )
    parser.add_argument(
        "points", type=Path, metavar="FILE.csv", help="one row a point, columns of any names, at most 64"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=None,
        help="folder for the results; FILE-density beside the file otherwise",
    )
    parser.add_argument(
        "--width", type=positive, default=64, help="width of the net's two hidden layers (64)"
    )
    parser.add_argument(
        "--train",
        choices=("likelihood", "matching"),
        default="likelihood",
        help="by maximum likelihood or by flow matching, which is quicker a step (likelihood)",
    )
    parser.add_argument("--samples", type=positive, default=1000, help="samples to write (1000)")
    parser.add_argument(
        "--grid-points", type=positive, default=120, help="points on a side of the grid (120)"
    )
    shared_options(parser, 1500)
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    from odestudy.points.read import read_points

    points = read_points(
        options.points, options.columns
    )  # a mistake in the file is told before torch is loaded
    n, d = points.values.shape
    print(f"{options.points}: {n} points, d = {d}", flush=True)
    for note in points.notes:
        print(f"note: {note}", flush=True)
    folder = options.out or options.points.with_name(f"{options.points.stem}-density")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror})") from None
    _fit(options, points, folder)
    return 0


def _fit(options: argparse.Namespace, points: Any, folder: Path) -> None:
    """Fit, judge, write and tell."""
    from odestudy.points import fit
    from odestudy.points.certificate import certificate
    from odestudy.points.report import present_fit
    from odestudy.points.write import write_fit
    from odestudy.runtime.outcome import NumericalFailure
    from odestudy.userdata.device import fit_device
    from odestudy.userdata.progress import Progress

    with fit_device(options.device) as device, Progress(options.iterations, "training") as progress:
        settings = fit.FitSettings(
            iterations=options.iterations,
            width=options.width,
            seed=options.seed,
            device=device,
            train=options.train,
        )
        sizes = {"samples": options.samples, "grid_points": options.grid_points}
        try:
            fitted = fit.fit_points(points.values, settings, progress.reach)
            numbers, checks = certificate(fitted, grid_points=options.grid_points)
            written = write_fit(folder, points, fitted, numbers, checks, **sizes)
        except NumericalFailure as failure:
            raise StudyError(
                f"{options.points}: {failure.status}, {failure}; try fewer --iterations"
            ) from None
        written += present_fit(folder, options.points.name, points, fitted, numbers, checks)
    for check in checks:
        print(f"{'holds' if check.holds else 'FAILS'}: {check.name} ({check.found}; wanted: {check.allowed})")
    print(f"{len(written)} files in {folder}; begin with {folder / 'report.html'}")
