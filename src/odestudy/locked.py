"""What must hold of a folder before a run starts: it can be written, and no other run is going on in it."""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
from pathlib import Path

_held: list[int] = []  # open as long as the process lives


def hold_folder(lock: Path) -> None:
    """Take the lock, or end the process with one line if another run holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        sys.exit(f"odestudy: another run is going on in {Path.cwd()}; wait for it, or end it first")
    _held.append(descriptor)


def refuse_read_only(folder: Path) -> None:
    """End the process with one line where nothing can be written into a folder, which is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        sys.exit(f"odestudy: {folder.resolve()}: cannot be written ({error.strerror})")
