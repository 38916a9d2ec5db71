"""Run a command so that it and all that it starts end together with the process that asked for it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import NoReturn

GRACE_S = 10  # between the request to end and the kill
# Reads from a pipe that is closed when its writer ends, whatever ended that.
GUARD = 'read _; kill -INT "-$1"; sleep "$2"; kill -KILL "-$1"'


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def started(
    command: Sequence[str], folder: Path, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The running command, in a process group of its own; leaving the block early, or dying in it, ends the group.

    The group is interrupted as by Ctrl-C, and killed where it has not ended after GRACE_S. SIGTERM and SIGHUP raise
    KeyboardInterrupt within the block.

    Args:
        command: program and arguments.
        folder: where it runs.
        log: takes what it prints; None leaves that to the terminal.
    """
    before = {number: signal.signal(number, _interrupted) for number in (signal.SIGTERM, signal.SIGHUP)}
    with log.open("wb") if log else nullcontext() as out:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    guard = subprocess.Popen(
        ["sh", "-c", GUARD, "guard", str(process.pid), str(GRACE_S)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
        process.wait()
    except BaseException:
        for number in (*before, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # the end is under way, and takes GRACE_S at most
        _end(process, guard)
        before[signal.SIGINT] = signal.default_int_handler
        raise
    finally:
        os.killpg(guard.pid, signal.SIGKILL)
        guard.wait()
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(process: subprocess.Popen[bytes], guard: subprocess.Popen[bytes]) -> None:
    assert guard.stdin is not None, "the guard was started with a pipe"
    guard.stdin.close()
    with suppress(ProcessLookupError):
        while guard.poll() is None:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(0.1)
    process.wait()
