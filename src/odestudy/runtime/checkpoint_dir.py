"""The folder in which the running job leaves what it needs to go on after a kill."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workplace:
    """A folder for checkpoints, and the identity (specification and code) without which none may be taken up."""

    folder: Path
    identity: str


_current: ContextVar[Workplace | None] = ContextVar("workplace", default=None)


def workplace() -> Workplace | None:
    """That of the job under way; None where a task is called outside a job, and then nothing is kept."""
    return _current.get()


@contextmanager
def at_work(folder: Path, identity: str) -> Iterator[None]:
    """Give a job its workplace; what lies there is removed once the job has ended well."""
    token = _current.set(Workplace(folder, identity))
    try:
        yield
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        _current.reset(token)
