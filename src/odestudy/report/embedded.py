"""Pictures inside a page: as small as they can be without loss to the eye, and those of the appendix packed."""

from __future__ import annotations

import base64
import gzip
import re
from urllib.parse import quote

# ASSUME a hundredth of a point is finer than any screen or printer shows.
PLACES = 2
EMBEDDED = re.compile(r'<img\b[^>]*?src="data:image/svg\+xml;base64,([^"]*)"[^>]*>')
LENGTHS = re.compile(r'(?<= d=")[^"]*|(?<=translate\()[^)]*|(?<= points=")[^"]*|(?<= [xy]=")[^"]*')
# Packed pictures hold their place in the page: their own width and height, and nothing in it.
EMPTY = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}'/%3E"


def compact_pictures(page: str) -> str:
    """A page whose embedded SVGs take less room.

    Those that may be loaded late (`loading="lazy"`) are packed by gzip into `data-packed`, which a script of the page
    unpacks once the rest is shown; the others stay readable as they are.
    """
    return EMBEDDED.sub(_compact, page)


def small_svg(text: str) -> str:
    """An SVG of matplotlib with lengths rounded to a hundredth of a point, on one line, without its XML header."""
    text = re.sub(r"^\s*<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r' id="[a-z0-9]+(?:_[a-z0-9]+)*_\d+"', "", text)  # of groups, which nothing refers to
    text = text.replace("DejaVuSans-", "")
    text = re.sub(r"\s*\n\s*", " ", LENGTHS.sub(lambda found: _rounded(found.group()), text))
    return re.sub(r"> +<", "><", text).strip()


def _compact(found: re.Match[str]) -> str:
    tag, svg = found.group(), small_svg(base64.b64decode(found.group(1)).decode())
    if 'loading="lazy"' not in tag:
        if "'" not in svg:
            svg = svg.replace('"', "'")
        return _with_source(tag, "data:image/svg+xml," + quote(svg, safe=" !$&'()*+,-./:;<=>?@[]^_`{|}~"))
    packed = base64.b64encode(gzip.compress(svg.encode(), mtime=0)).decode()
    box = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', svg)
    width, height = box.groups() if box else ("16", "9")
    return _with_source(tag, EMPTY.format(width, height)).replace("<img", f'<img data-packed="{packed}"', 1)


def _with_source(tag: str, source: str) -> str:
    return re.sub(r'src="[^"]*"', lambda _: f'src="{source}"', tag, count=1)


def _rounded(lengths: str) -> str:
    return re.sub(
        r"-?\d+\.\d+", lambda number: f"{float(number.group()):.{PLACES}f}".rstrip("0").rstrip("."), lengths
    )
