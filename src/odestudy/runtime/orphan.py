"""No process of a run outlives it: whoever is killed, the same command finds the folder to itself."""

from __future__ import annotations

import os
import select
import signal
import threading

RUN = "ODESTUDY_RUN"  # the number of the Snakemake process, set where it reads the rules


def end_with_run() -> None:
    """From now on, kill this process as soon as the run or the shell that started it has ended.

    Nothing happens outside a run, or where the system has no os.pidfd_open (that is, not on Linux).
    """
    if RUN not in os.environ or not hasattr(os, "pidfd_open"):
        return
    try:
        watched = [os.pidfd_open(pid) for pid in (int(os.environ[RUN]), os.getppid())]
    except ProcessLookupError:
        os.kill(os.getpid(), signal.SIGKILL)

    def watch() -> None:
        select.select(watched, [], [])
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
