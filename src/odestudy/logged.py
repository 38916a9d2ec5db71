"""The log of a rule: what is printed goes there, and so does the traceback of a programming error."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from odestudy.errors import StudyError


@contextmanager
def logged(path: str | Path) -> Iterator[None]:
    """Send output to a file; a StudyError ends the process with its one line, anything else with its traceback."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8") as file:
        try:
            with redirect_stdout(file), redirect_stderr(file):
                yield
        except StudyError as error:
            file.write(f"odestudy: {error}\n")
            sys.exit(f"odestudy: {error}")
        except BaseException:
            traceback.print_exc(file=file)
            raise
