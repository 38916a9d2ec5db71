"""A process beside each step: it kills the step when its client goes away, its run ends, or its time is over."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odestudy.steps.timeout import TIMEOUT, record_timeout
from odestudy.text import one_line

RUN = 0  # the server's standard input, inherited, which ends with the run


def supervise(line: socket.socket, order: dict[str, Any], descriptors: list[int]) -> None:
    """Take a step in a process of its own, or watch over a child of the client, and tell the client its status.

    A job that is over its time has its outcome written, and its status is that of a step that ended well. Of the
    client's child the client itself learns any other status.

    Args:
        line: to the client.
        order: what odestudy.steps.client asked for; `step` is the client's child, if it has one.
        descriptors: the client's output and error.
    """
    for number in (signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    own = "step" not in order
    if own:
        line.send(b"begun")
        step = os.fork()
        if step == 0:
            line.close()
            os._exit(_take(order, descriptors))
        ended = os.pidfd_open(step)
    else:
        step = order["step"]
        ended = os.pidfd_open(step)
        line.send(b"begun")
    begun = time.time()
    end = _wait(step, ended, [RUN, line.fileno()], order["limit_s"])
    code = os.waitstatus_to_exitcode(os.waitpid(step, 0)[1]) if own else None
    if end.overtime:
        code = _overtime(order, descriptors, begun, end.peak_mib, code)
    elif end.by_itself and code is not None and code < 0:
        why = ", as the system does when memory runs out" if -code == signal.SIGKILL else ""
        _say(order, descriptors, f"ended by {signal.Signals(-code).name}{why}")
    if code is not None:
        with contextlib.suppress(OSError):  # the client may be gone
            line.send(str(code if code >= 0 else 128 - code).encode())


@dataclass(frozen=True)
class End:
    """How a step ended: by itself, or killed, since its time was over or what wanted it is gone; the memory it held."""

    by_itself: bool
    overtime: bool = False
    peak_mib: float = 0.0


def _wait(step: int, ended: int, gone: list[int], limit_s: float) -> End:
    """Until the step has ended, by itself or killed here: its time is over, or one of `gone` is ready."""
    ready, _, _ = select.select([ended, *gone], [], [], limit_s)
    if ended in ready:
        return End(by_itself=True)
    peak_mib = _peak_mib(step)
    with contextlib.suppress(ProcessLookupError):
        os.kill(step, signal.SIGKILL)
    select.select([ended], [], [])
    return End(by_itself=False, overtime=not ready, peak_mib=peak_mib)


def _peak_mib(step: int) -> float:
    """The largest resident memory of a process so far, as the system tells it."""
    with contextlib.suppress(OSError):
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{step}/status").read_text(), re.MULTILINE)
        return int(found[1]) / 1024 if found else 0.0
    return 0.0


def _overtime(
    order: dict[str, Any], descriptors: list[int], begun: float, peak_mib: float, code: int | None
) -> int | None:
    """Tell that a step took too long and, of a job, write that as its outcome; returns the status to tell."""
    request = json.loads(order["request"])
    what = f"took longer than {order['limit_s'] / 60:g} min (job_limit_min in config/study.yaml)"
    if request["step"] != "job":
        _say(order, descriptors, f"ended, since it {what}")
        return code
    try:
        record_timeout(request, what, begun, peak_mib)
    except Exception as error:
        _say(order, descriptors, f"ended, since it {what}; not recorded: {one_line(error)}")
        return code
    _say(order, descriptors, f"ended, since it {what}; recorded as {TIMEOUT}")
    return 0


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
