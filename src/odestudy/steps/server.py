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
from odestudy.steps.supervisor import supervise

MODULES = (
    "torch._dynamo",  # as every optimizer imports, in 1.4 s
    "matplotlib.pyplot",
    "odestudy.figures",
    "odestudy.questions",
    "odestudy.runtime.job",
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
                order = json.loads(message)
                _read_study(order["request"])
                if os.fork() == 0:
                    listening.close()
                    try:
                        supervise(line, order, descriptors)
                    finally:  # whatever happens, this process is no second server
                        os._exit(0)
            for descriptor in descriptors:
                os.close(descriptor)


def _import_all() -> None:
    for name in MODULES:
        with contextlib.suppress(Exception):  # what cannot be imported says so in the step that needs it
            module = importlib.import_module(name)
            for inner in pkgutil.iter_modules(getattr(module, "__path__", [])):
                with contextlib.suppress(Exception):
                    importlib.import_module(f"{name}.{inner.name}")


def _read_study(text: str) -> None:
    """Read the configuration once for all steps; where it is wrong, the step says so."""
    from odestudy.steps.take import study_of

    request = json.loads(text)
    if "overrides" in request:
        with contextlib.suppress(Exception):
            study_of(request)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
