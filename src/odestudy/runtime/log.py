"""The log of a rule: what is printed goes there, and so does the traceback of a programming error."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import TextIO

from odestudy.errors import StudyError
from odestudy.runtime.limit import time_limit, took_longer

# What is wrong with a place and not with the program.
PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


@contextmanager
def output_to(path: str | Path) -> Iterator[TextIO]:
    """Add what is printed to a file, which Snakemake has removed before and a process that starts again goes on with."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("a", encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
        yield file


@contextmanager
def logged(path: str | Path, limit_s: float) -> Iterator[None]:
    """Send output to a file; what the user can mend ends the process with one line, anything else with its traceback.

    What the user can mend is a StudyError, a disk that is full or cannot be written, and more seconds than `limit_s`.
    """
    try:
        with output_to(path) as file:
            try:
                with time_limit(limit_s, lambda: _over(Path(path), limit_s)):
                    yield
            except BaseException as error:
                with suppress(OSError):  # on a full disk the log has no room either
                    _tell(error, file)
                raise
    except (StudyError, OSError) as error:
        text = mendable(error)
        if text is None:
            raise
        sys.exit(f"odestudy: {text}")


def mendable(error: BaseException) -> str | None:
    """One line on what the user can mend; None for anything else."""
    if isinstance(error, StudyError):
        return str(error)
    if isinstance(error, OSError) and error.errno in PLACE:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}; make room or mend its permissions, then the same command goes on"
    return None


def _over(log: Path, limit_s: float) -> None:
    line = f"odestudy: {log.stem}: ended, since it {took_longer(limit_s)}\n"
    with suppress(OSError), log.open("a", encoding="utf-8") as file:
        file.write(line)
    os.write(2, line.encode())
    os._exit(1)


def _tell(error: BaseException, file: TextIO) -> None:
    text = mendable(error)
    if text is None:
        traceback.print_exc(file=file)
    else:
        file.write(f"odestudy: {text}\n")
    file.flush()
