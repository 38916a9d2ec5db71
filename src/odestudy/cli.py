"""The command `odestudy`: its subcommands are the modules of odestudy.commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from odestudy.commands import check, compare, density, fit, plan, publish, run, snapshot, verify
from odestudy.commands import list as list_
from odestudy.errors import StudyError

COMMANDS = (list_, plan, run, fit, check, compare, publish, verify, snapshot, density)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; a user's mistake is one line and exit code 2."""
    parser = argparse.ArgumentParser(prog="odestudy", description="A reproducible study of Neural ODEs.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add(commands)
    options = parser.parse_args(arguments)
    try:
        return options.act(options)
    except StudyError as error:
        print(f"odestudy: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
