"""A process beside each step: it kills the step when its client goes away, its run ends, or its time is over."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any

RUN = 0  # the server's standard input, inherited, which ends with the run


def supervise(line: socket.socket, order: dict[str, Any], descriptors: list[int]) -> None:
    """Take a step in a process of its own and tell the client its status, or only watch over the client's process.

    Args:
        line: to the client.
        order: what odestudy.steps.client asked for.
        descriptors: the client's output and error.
    """
    for number in (signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    if order["watch"]:
        step = _peer(line)
        ended = os.pidfd_open(step)
        line.send(b"begun")
        line.close()
        _wait(step, [ended, RUN], order, descriptors)
        return
    line.send(b"begun")
    step = os.fork()
    if step == 0:
        line.close()
        os._exit(_take(order, descriptors))
    by_itself = _wait(step, [os.pidfd_open(step), RUN, line.fileno()], order, descriptors)
    _, status = os.waitpid(step, 0)
    code = os.waitstatus_to_exitcode(status)
    if by_itself and code < 0:
        why = ", as the system does when memory runs out" if -code == signal.SIGKILL else ""
        _say(order, descriptors, f"ended by {signal.Signals(-code).name}{why}")
    with contextlib.suppress(OSError):  # the client may be gone
        line.send(str(code if code >= 0 else 128 - code).encode())


def _peer(line: socket.socket) -> int:
    """The process at the other end."""
    content = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", content)[0])


def _wait(step: int, watched: list[int], order: dict[str, Any], descriptors: list[int]) -> bool:
    """Until one of `watched`, the step the first, is ready; whether it ended by itself and was not killed here."""
    ready, _, _ = select.select(watched, [], [], order["limit_s"])
    if watched[0] in ready:
        return True
    with contextlib.suppress(ProcessLookupError):
        os.kill(step, signal.SIGKILL)
    if not ready:
        limit = f"{order['limit_s'] / 60:g} min (job_limit_min in config/study.yaml)"
        _say(order, descriptors, f"ended, since it took longer than {limit}")
    return False


def _say(order: dict[str, Any], descriptors: list[int], text: str) -> None:
    """One line to the client's error output and to the step's log."""
    line = f"odestudy: {Path(order['log']).stem}: {text}\n"
    with contextlib.suppress(OSError):
        os.write(descriptors[-1], line.encode())
    with contextlib.suppress(OSError), Path(order["log"]).open("a", encoding="utf-8") as file:
        file.write(line)


def _take(order: dict[str, Any], descriptors: list[int]) -> int:
    from odestudy.steps.take import main

    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in enumerate([nothing, *descriptors]):
        os.dup2(source, target)
    try:
        main(order["log"], order["request"])
        return 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
