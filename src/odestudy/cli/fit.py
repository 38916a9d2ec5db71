"""Learn the vector field behind a user's own observations."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from odestudy.errors import ConfigError


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("fit", help="learn the vector field behind your own observations")
    parser.add_argument(
        "file", type=Path, help="CSV with the columns trajectory, t, y1, y2 ...; times may be irregular"
    )
    parser.add_argument(
        "--out", type=Path, default=None, help="folder to write; FILE-fit beside the file otherwise"
    )
    parser.add_argument(
        "--model", choices=("mlp", "linear"), default="mlp", help="a small network, or a matrix"
    )
    parser.add_argument("--iterations", type=int, default=1000, help="training steps")
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    if options.iterations < 1:
        raise ConfigError(f"--iterations: {options.iterations} is not allowed; allowed: at least 1")
    from odestudy.fit.learn import Settings
    from odestudy.fit.observations import read_observations
    from odestudy.fit.report import write_fit

    table = read_observations(options.file)
    folder = options.out or options.file.with_name(f"{options.file.stem}-fit")
    rate = Settings().learning_rate if options.model == "mlp" else 0.1
    settings = Settings(model=options.model, iterations=options.iterations, learning_rate=rate)
    print(write_fit(table, settings, folder, options.file.name))
    return 0
