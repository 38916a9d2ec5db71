"""The command `odestudy`: its subcommands are the modules beside this one."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from odestudy import __version__
from odestudy.cli import (
    check,
    compare,
    density,
    figure,
    fit,
    pack,
    plan,
    power,
    publish,
    report,
    run,
    snapshot,
    study,
    unpack,
    verify,
)
from odestudy.cli import list as list_
from odestudy.errors import StudyError
from odestudy.text import meant, one_line


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        wrong = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message)
        near = meant(wrong[1], re.findall(r"[\w-]+", wrong[2])) if wrong else ""
        self.exit(2, f"{self.prog}: {one_line(message, 600)}{near}; see {self.prog} --help\n")


COMMANDS = (
    study,
    list_,
    plan,
    power,
    run,
    figure,
    fit,
    check,
    compare,
    report,
    publish,
    pack,
    unpack,
    verify,
    snapshot,
    density,
)


def make_parser() -> Parser:
    """The parser of all commands."""
    parser = Parser(
        prog="odestudy",
        description="A reproducible study of Neural ODEs. `odestudy COMMAND --help` tells more of each, with an example.",
        epilog="Example: odestudy study --tier smoke",
    )
    parser.add_argument("--version", action="version", version=f"odestudy {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; a user's mistake is one line and exit code 2."""
    options = make_parser().parse_args(arguments)
    try:
        return options.act(options)
    except StudyError as error:
        print(f"odestudy: {one_line(error, 1000)}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as head, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        if error.filename is None:
            raise
        print(f"odestudy: {one_line(error.filename)}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
