"""Is this machine ready: device, data, versions."""

from __future__ import annotations

import argparse
from typing import Any

from odestudy.runtime.clone import project_root


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "check", help="is this machine ready: device, data, versions", epilog="Example: odestudy check"
    )
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    from odestudy.cli.readiness import report

    lines, ready = report(project_root())
    print("\n".join(lines))
    return 0 if ready else 1
