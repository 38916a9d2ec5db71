"""Put the finished jobs of a run into one file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from odestudy.cli.options import chosen_study, study_options

MOST_MIB = 16.0
NAMED = 20  # of what is left out


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "pack",
        help="put a run's finished jobs into one file, for `odestudy unpack`",
        epilog="Example: odestudy pack images.zip --tier cpu --questions images",
    )
    parser.add_argument("file", type=Path, help="the file to write")
    parser.add_argument(
        "--most-mib",
        type=float,
        default=MOST_MIB,
        help="refuse to write a larger file (default: %(default)g)",
    )
    study_options(parser)
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    """Pack, and say how much."""
    from odestudy.publication.bundle import MIB, write_bundle

    study = chosen_study(options)
    jobs, left_out = write_bundle(study, options.file, options.most_mib)
    size = options.file.stat().st_size / MIB
    print(f"{options.file}: {jobs} of {len(study.jobs)} jobs of tier {study.run}, {size:.2f} MiB")
    if left_out:
        more = f", and {len(left_out) - NAMED} more" if len(left_out) > NAMED else ""
        print(f"left out, {len(left_out)} jobs begun: {', '.join(left_out[:NAMED])}{more}")
    return 0
