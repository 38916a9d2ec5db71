"""The log of a rule: what is printed goes there, and so does the traceback of a programming error; and what it took."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import TextIO

from odestudy.errors import StudyError
from odestudy.runtime.files import write_atomically

# What is wrong with a place and not with the program.
PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


@contextmanager
def logged(path: str | Path) -> Iterator[None]:
    """Send output to a file; what the user can mend ends the process with one line, anything else with its traceback.

    What the user can mend is a StudyError, and a disk that is full or cannot be written.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w", encoding="utf-8") as file:
            try:
                with redirect_stdout(file), redirect_stderr(file):
                    yield
            except BaseException as error:
                with suppress(OSError):  # on a full disk the log has no room either
                    _tell(error, file)
                raise
    except StudyError as error:
        sys.exit(f"odestudy: {error}")
    except OSError as error:
        if error.errno not in PLACE:
            raise
        sys.exit(f"odestudy: {_of_place(error)}")


def write_seconds(log: Path, seconds: float) -> None:
    """Note beside a log how long its step took, for forecasts; a full disk is no reason to fail."""
    with suppress(OSError):
        write_atomically(log.with_suffix(".seconds"), f"{seconds:.3f}\n".encode())


def read_seconds(log: Path) -> float | None:
    """How long a log's step took when it last succeeded; None where that is not known."""
    with suppress(OSError, ValueError):
        return float(log.with_suffix(".seconds").read_text(encoding="utf-8"))
    return None


def _tell(error: BaseException, file: TextIO) -> None:
    if isinstance(error, StudyError):
        file.write(f"odestudy: {error}\n")
    elif isinstance(error, OSError) and error.errno in PLACE:
        file.write(f"odestudy: {_of_place(error)}\n")
    else:
        traceback.print_exc(file=file)
    file.flush()


def _of_place(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror}; make room or mend its permissions, then the same command goes on"
