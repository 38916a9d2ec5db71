"""A list of a job's operations that have no deterministic implementation on its device."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SAID = r"(\S+) does not have a deterministic implementation"


@contextmanager
def nondeterministic_operations() -> Iterator[set[str]]:
    """The operations that torch warns of while the block runs, by torch's names for them; each is shown once.

    torch warns where its deterministic mode is at least "warn".
    """
    found: set[str] = set()
    show = warnings.showwarning

    def keep(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, *where: Any, **named: Any
    ) -> None:
        name = re.match(_SAID, str(message))
        if name is None or name[1] not in found:
            show(message, category, filename, lineno, *where, **named)
        if name:
            found.add(name[1])

    with warnings.catch_warnings():
        warnings.filterwarnings("always", message=_SAID)
        warnings.showwarning = keep
        yield found
