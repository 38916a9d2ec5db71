"""Show published results: tables, figures and report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

PUBLISHED = Path("results/published/quick-cpu")


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "report",
        help="tables, figures and report of published results",
        epilog="Example: odestudy report results/published/quick-cpu",
    )
    parser.add_argument(
        "folder", type=Path, nargs="?", default=PUBLISHED, help=f"{PUBLISHED} unless said otherwise"
    )
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    """Unpack, render, and say where the report is."""
    from odestudy.publication.render import render
    from odestudy.publication.unpack import unpack
    from odestudy.runtime.clone import project_root

    study = unpack(project_root(), options.folder)
    render(study)
    print(f"The report: {study.results / 'report/index.html'} and report.pdf beside it")
    return 0
