"""Prove that a published folder is what was computed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "verify",
        help="a published folder: nothing was altered, and the ledger follows from the metrics",
        epilog="Example: odestudy verify results/published/quick-cpu",
    )
    parser.add_argument("folder", type=Path, help="such as results/published/quick-cpu")
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    """Print what was found; 1 where something is altered, missing, or does not follow."""
    from odestudy.publication.verify import verify
    from odestudy.runtime.clone import project_root

    problems, checked = verify(project_root(), options.folder)
    print("\n".join([*problems, checked]))
    return int(bool(problems))
