"""Parts of the page that open on demand."""

from __future__ import annotations

from html import escape

CLOSING = "```{=html}\n</details>\n```\n"


def folded(title: str, text: str) -> str:
    """Something long that opens on demand."""
    return f"{opening(title)}\n{text}\n{CLOSING}"


def opening(title: str) -> str:
    """The beginning of what opens on demand; CLOSING is its end."""
    return f"```{{=html}}\n<details><summary>{escape(title)}</summary>\n```\n"
