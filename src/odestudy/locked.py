"""One run in a folder at a time, by a lock that dies with its process."""

from __future__ import annotations

import fcntl
import os
import sys
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
