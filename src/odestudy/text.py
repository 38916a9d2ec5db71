"""Text for messages."""

from __future__ import annotations


def one_line(text: object, most: int = 300) -> str:
    """On one line, whatever comes: blanks for line ends, escapes for what a terminal cannot show, dots where too long."""
    whole = "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(str(text).split()))
    return whole if len(whole) <= most else f"{whole[: most - 3]}..."
