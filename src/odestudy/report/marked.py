"""Parts of a Markdown file that are written by the pipeline, between two comments."""

from __future__ import annotations

import re


def put_between(text: str, name: str, content: str) -> str:
    """The text with `content` between `<!-- name: begin -->` and `<!-- name: end -->`.

    Raises:
        ValueError: the text has no such markers.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if begin not in text or end not in text:
        raise ValueError(f"the text has no markers {begin} and {end}")
    return re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n{content}{end}", text, flags=re.S)
