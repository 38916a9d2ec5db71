"""A process that has imported everything once, and forks a process for each step of the workflow.

It is started when a run starts, and ends when the run's process ends, since its standard input is a pipe from there.
Every step is a process of its own, as if it had been started afresh: nothing that one computes is seen by another. The
server itself never computes, so that no thread and no CUDA context exists when it forks.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

from odestudy.steps.client import SOCKET

MODULES = (
    "torch._dynamo",  # as every optimizer imports, in 1.4 s
    "matplotlib.pyplot",
    "odestudy.present.figures",
    "odestudy.questions",
    "odestudy.run",
    "odestudy.steps.take",
)
LARGEST = 2**20  # bytes of a request
PATIENCE_S = 10.0  # a client sends at once

_started: list[subprocess.Popen[bytes]] = []  # holds the pipe whose end is the server's end


def start_server() -> None:
    """Start a server for the working folder; it listens when this returns, and imports after that.

    Without os.pidfd_open (that is, not on Linux) none is started, and each step is a process from the start.
    """
    if not hasattr(os, "pidfd_open"):
        return
    path = Path(SOCKET)
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(SOCKET)
    listening.listen(128)
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "odestudy.steps.server", str(listening.fileno())]
    _started.append(
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            pass_fds=[listening.fileno()],
            env={**os.environ, **one_thread, "MPLBACKEND": "Agg"},
        )
    )
    listening.close()


def serve(listening: socket.socket) -> None:
    """Fork for each request until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the steps; the server ends with the run
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the supervisors
    _import_all()
    while True:
        ready, _, _ = select.select([listening, sys.stdin], [], [])
        if sys.stdin in ready:
            return
        line, _ = listening.accept()
        with line, contextlib.suppress(OSError):  # a client that went away
            line.settimeout(PATIENCE_S)
            message, descriptors, _, _ = socket.recv_fds(line, LARGEST, 2)
            line.settimeout(None)
            if message:
                arguments = json.loads(message)
                _read_study(arguments)
                if os.fork() == 0:
                    listening.close()
                    os._exit(_supervise(line, arguments, descriptors))
            for descriptor in descriptors:
                os.close(descriptor)


def _import_all() -> None:
    for name in MODULES:
        with contextlib.suppress(Exception):  # what cannot be imported says so in the step that needs it
            module = importlib.import_module(name)
            for inner in pkgutil.iter_modules(getattr(module, "__path__", [])):
                with contextlib.suppress(Exception):
                    importlib.import_module(f"{name}.{inner.name}")


def _read_study(arguments: list[str]) -> None:
    """Read the configuration once for all steps; where it is wrong, the step says so."""
    from odestudy.steps.take import study_of

    request = json.loads(arguments[-1])
    if "overrides" in request:
        with contextlib.suppress(Exception):
            study_of(request)


def _supervise(line: socket.socket, arguments: list[str], descriptors: list[int]) -> int:
    """Fork the process of one step; tell the client its status; kill it when the client goes away."""
    for number in (signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    line.send(b"begun")
    step = os.fork()
    if step == 0:
        line.close()
        os._exit(_take(arguments, descriptors))
    ended = os.pidfd_open(step)
    ready, _, _ = select.select([ended, line.fileno()], [], [])
    if ended not in ready:
        os.kill(step, signal.SIGKILL)
    _, status = os.waitpid(step, 0)
    code = os.waitstatus_to_exitcode(status)
    with contextlib.suppress(OSError):  # the client may be gone
        line.send(str(code if code >= 0 else 128 - code).encode())
    return 0


def _take(arguments: list[str], descriptors: list[int]) -> int:
    from odestudy.steps.take import main

    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in enumerate([nothing, *descriptors]):
        os.dup2(source, target)
    try:
        main(*arguments)
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


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
