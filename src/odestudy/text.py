"""Text for messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def one_line(text: object, most: int = 300) -> str:
    """On one line, whatever comes: blanks for line ends, escapes for what a terminal cannot show, dots where too long."""
    whole = "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(str(text).split()))
    return whole if len(whole) <= most else f"{whole[: most - 3]}..."


def meant(word: object, known: Iterable[object]) -> str:
    """The nearest of the known words in brackets, to end a complaint with; empty where none is near."""
    near = difflib.get_close_matches(str(word), [str(name) for name in known], 1)
    return f" (meant: {near[0]}?)" if near else ""
