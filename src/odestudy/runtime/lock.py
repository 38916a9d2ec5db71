"""Checks of a folder before a run starts: it can be written, and no other run is going on in it."""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from odestudy.errors import ConfigError


def hold_folder(folder: Path) -> None:
    """Take the lock of a clone until this process ends, or end it with one line if another run holds that."""
    try:
        _locked(folder)  # open, and so held, as long as the process lives
    except ConfigError as error:
        sys.exit(f"odestudy: {error}")


@contextmanager
def held_folder(folder: Path) -> Iterator[None]:
    """Take the lock of a clone for a while.

    Raises:
        ConfigError: another run holds it.
    """
    descriptor = _locked(folder)
    try:
        yield
    finally:
        os.close(descriptor)


def _locked(folder: Path) -> int:
    lock = folder / ".snakemake/odestudy.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ConfigError(
            f"another run is going on in {folder.resolve()}; wait for it, or end it first"
        ) from None
    return descriptor


def refuse_read_only(folder: Path) -> None:
    """End the process with one line where nothing can be written into a folder, which is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        sys.exit(f"odestudy: {folder.resolve()}: cannot be written ({error.strerror})")
