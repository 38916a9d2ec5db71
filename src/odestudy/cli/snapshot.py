"""Renew the page and the part of the README that show what a published run found."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "snapshot",
        help="docs/findings.md and the README's findings, from a published folder",
        epilog="Example: odestudy snapshot results/published/quick-cpu",
    )
    parser.add_argument("folder", type=Path, help="such as results/published/quick-cpu")
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    """Write both, and the pictures that they show."""
    from odestudy.publication.snapshot import write_snapshot
    from odestudy.publication.unpack import unpack
    from odestudy.runtime.clone import project_root

    write_snapshot(unpack(project_root(), options.folder))
    return 0
