"""A time limit inside the process: a thread that acts when the time is up."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def time_limit(seconds: float, over: Callable[[], None]) -> Iterator[None]:
    """Call `over` in another thread if the block takes longer; it must end or replace the process.

    Whoever is first, the end of the block or the end of the time, excludes the other: a block that is left was in time.
    """
    one_of_both = threading.Lock()
    ended = False

    def act() -> None:
        with one_of_both:
            if not ended:
                over()

    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with one_of_both:  # held by `act` until the process is gone
            ended = True


def start_again() -> None:
    """Replace this process by a new one with the same command, number and output."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            stream.flush()
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # files and locks of what is given up, pipes of its children
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def took_longer(limit_s: float) -> str:
    """What is said of a step that took too long."""
    return f"took longer than {limit_s / 60:g} min (job_limit_min in config/study.yaml)"
