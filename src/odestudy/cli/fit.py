"""Learn the vector field behind a user's own observations."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from odestudy.userdata.options import shared_options


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "fit",
        help="learn the vector field behind your own observations",
        epilog="Example: odestudy fit observations.csv --out fitted",
    )
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE.csv",
        help="a column t, a column trajectory where there are several, the others any; times may be irregular",
    )
    parser.add_argument(
        "--out", type=Path, default=None, help="folder to write; FILE-fit beside the file otherwise"
    )
    parser.add_argument(
        "--model", choices=("mlp", "linear"), default="mlp", help="a small network, or a matrix"
    )
    shared_options(parser, 1000)
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    from odestudy.fit.observations import read_observations

    table = read_observations(
        options.file, options.columns
    )  # a mistake in the file is told before torch is loaded
    rows = sum(map(len, table.t))
    print(f"{options.file}: {len(table.t)} trajectories, {rows} rows, d = {table.d}", flush=True)
    for note in table.notes:
        print(f"note: {note}", flush=True)
    from odestudy.fit import report
    from odestudy.fit.learn import Settings
    from odestudy.userdata.device import fit_device

    folder = options.out or options.file.with_name(f"{options.file.stem}-fit")
    rate = Settings().learning_rate if options.model == "mlp" else 0.1
    with fit_device(options.device) as device:
        settings = Settings(
            model=options.model,
            iterations=options.iterations,
            learning_rate=rate,
            seed=options.seed,
            device=device,
        )
        page = report.write_fit(table, settings, folder, options.file.name)
    print(page)
    return 0
