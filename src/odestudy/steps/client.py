"""Ask the server of this run for a step; without a server, take the step in a process of its own.

    python -I -S client.py here|fresh LOG REQUEST

Importing torch and what stands on it takes four seconds of processor time, many steps take tenths of a second. So this
file imports the standard library only, and is run by its path. The exit status is the step's. The server is not asked
where the first word is "fresh" (a batch system gave this process its place), nor where the request says so (a job that
measures time or memory).
"""

import json
import os
import socket
import sys

SOCKET = ".snakemake/odestudy.socket"  # relative: the address of a socket holds no more than 107 bytes


def main(place: str, log: str, request: str) -> int:
    """Take one step, here or there; returns its exit status."""
    if place != "fresh" and not json.loads(request).get("fresh"):
        status = ask(log, request)
        if status is not None:
            return status
    os.execv(sys.executable, [sys.executable, "-m", "odestudy.steps.take", log, request])


def ask(log: str, request: str) -> "int | None":
    """The status of a step that the server took; None where none listens, or where it ended before the step began.

    The step writes to this process's output and error, and is killed with this process.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**20)
            line.connect(SOCKET)
            socket.send_fds(line, [json.dumps([log, request]).encode()], [1, 2])
            if line.recv(16) != b"begun":
                return None
            answer = line.recv(16)
    except OSError:
        return None
    return int(answer) if answer else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
