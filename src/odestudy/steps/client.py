"""Ask the server of this run for a step; without a server, take the step in a process of its own.

    python -I -S client.py here|fresh LIMIT_S LOG REQUEST

Importing torch and what stands on it takes four seconds of processor time, many steps take tenths of a second. So this
file imports the standard library only, and is run by its path. The exit status is the step's. The server is not asked
where the first word is "fresh" (a batch system gave this process its place, and watches over its time). Where the
request says "fresh" (a job that measures time or memory), the server only watches over it.
"""

import json
import os
import socket
import sys

SOCKET = ".snakemake/odestudy.socket"  # relative: the address of a socket holds no more than 107 bytes


def main(place: str, limit_s: str, log: str, request: str) -> int:
    """Take one step, here or there; returns its exit status."""
    if place != "fresh":
        watch = bool(json.loads(request).get("fresh"))
        status = ask({"log": log, "request": request, "limit_s": float(limit_s), "watch": watch})
        if status is not None:
            return status
    os.execv(sys.executable, [sys.executable, "-m", "odestudy.steps.take", log, request])


def ask(order: "dict[str, object]") -> "int | None":
    """The status of a step that the server took; None where none listens, where it ended first, or only watches.

    The step writes to this process's output and error, and is killed with this process.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**20)
            line.connect(SOCKET)
            socket.send_fds(line, [json.dumps(order).encode()], [1, 2])
            if line.recv(16) != b"begun" or order["watch"]:
                return None
            answer = line.recv(16)
    except OSError:
        return None
    return int(answer) if answer else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
