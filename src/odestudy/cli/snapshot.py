"""Renew what the README and docs/ say of a published run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "snapshot",
        help="what the README and docs/ say of the findings, from a published folder",
        description="Writes the README's findings, docs/findings.md, docs/claims.md, the pictures of both and the table of "
        "docs/ode.md.",
        epilog="Example: odestudy snapshot results/published/quick-cpu",
    )
    parser.add_argument("folder", type=Path, help="such as results/published/quick-cpu")
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    """Write them all."""
    from odestudy.publication.snapshot import write_snapshot
    from odestudy.publication.unpack import unpack
    from odestudy.runtime.clone import project_root

    write_snapshot(unpack(project_root(), options.folder))
    return 0
