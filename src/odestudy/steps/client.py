"""Ask the server of this run for a step; without a server, take the step in a process of its own.

    python -I -S client.py here|fresh LIMIT_S LOG REQUEST

Importing torch and what stands on it takes four seconds of processor time, many steps take tenths of a second. So this
file imports the standard library only, and is run by its path. The exit status is the step's. The server is not asked
where the first word is "fresh" (a batch system gave this process its place, and watches over its time). Where the
request says "fresh" (a job that measures time or memory), the step is a child of this process, which was never large,
and the server only watches over it.
"""

import json
import os
import socket
import sys

SOCKET = ".snakemake/odestudy.socket"  # relative: the address of a socket holds no more than 107 bytes


def main(place: str, limit_s: str, log: str, request: str) -> int:
    """Take one step, here or there; returns its exit status."""
    command = [sys.executable, "-m", "odestudy.steps.take", log, request]
    if place != "fresh":
        order = {"log": log, "request": request, "limit_s": float(limit_s)}
        apart = json.loads(request).get("fresh")
        status = watched(order, command) if apart else ask(order)
        if status is not None:
            return status
    os.execv(command[0], command)


def ask(order: "dict[str, object]", step: "Step | None" = None) -> "int | None":
    """The status of a step that the server took or, of a step that is there, watched over; None where none listens.

    The step writes to this process's output and error, and is killed with this process. Of a step that is there the
    status is that of the child, unless the server has one to tell.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**20)
            line.connect(SOCKET)
            socket.send_fds(line, [json.dumps(order).encode()], [1, 2])
            if line.recv(16) != b"begun":
                return None
            if step:
                step.begin()
            answer = line.recv(16)
    except OSError:
        answer = b""
        if step is None or not step.begun:
            return None
    if step:
        status = step.wait()
        return int(answer) if answer else status
    return int(answer) if answer else 1


class Step:
    """A child that runs a command as soon as it is told, and ends where it is never told."""

    def __init__(self, command: "list[str]") -> None:
        self.begun = False
        told, self._tell = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._tell)
            if os.read(told, 1):
                os.execv(command[0], command)
            os._exit(1)
        os.close(told)

    def begin(self) -> None:
        self.begun = True
        os.write(self._tell, b"x")

    def wait(self) -> int:
        """The child's exit status, as a shell tells it."""
        os.close(self._tell)
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return code if code >= 0 else 128 - code


def watched(order: "dict[str, object]", command: "list[str]") -> "int | None":
    """The status of a child that the server watches over; None, and no child is left, where none listens."""
    step = Step(command)
    status = ask(order | {"step": step.pid}, step)
    if status is None:
        step.wait()
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
