"""Take in what `odestudy pack` wrote elsewhere, or what was published, so that a run goes on from there."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from odestudy.runtime.clone import project_root
from odestudy.runtime.lock import held_folder


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "unpack",
        help="lay jobs that ran elsewhere out under results/<tier>, as if they had run here",
        epilog="Example: odestudy unpack images.zip results/published/full-hopper",
    )
    parser.add_argument(
        "file", type=Path, nargs="+", help="what `odestudy pack` wrote, or a folder of results/published"
    )
    parser.add_argument("--seeds", type=int, default=None, help="where the run was cut to so many seeds")
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    """Unpack, file after file, and say how much was new."""
    from odestudy.publication.bundle import read_bundle, take_in
    from odestudy.study import load_study

    root = project_root()
    for file in options.file:
        tier, results = read_bundle(file)
        study = load_study(root, tier, {"seeds": options.seeds})
        with held_folder(root):
            new, known = take_in(study, results, file)
        print(f"{file}: {new} jobs of tier {tier} unpacked, {known} were here before")
    return 0
