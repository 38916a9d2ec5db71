"""Markdown to one HTML file that needs no network, and to PDF: pandoc and typst."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pypandoc
import typst

from odestudy.report.embedded import compact_pictures
from odestudy.runtime.files import write_atomically

MARKDOWN = "markdown+pipe_tables+implicit_figures-tex_math_single_backslash"


def write_html(text: str, path: Path, style: Path) -> None:
    """One page with everything in it; `style` is the folder of page.html, style.css, table.js, references.bib.

    Pictures are found relative to the page.
    """
    options = ["--embed-resources", "--standalone", "--mathml", "--toc", "--toc-depth=1", "--section-divs"]
    options += [f"--css={style / 'style.css'}", f"--template={style / 'page.html'}", "--wrap=none"]
    with tempfile.TemporaryDirectory() as scratch:
        html = Path(scratch) / "index.html"
        _pandoc(text, "html5", html, path.parent, style, options)
        page = compact_pictures(_scrollable_tables(html.read_text(encoding="utf-8")))
        write_atomically(path, page.encode())


def write_pdf(text: str, path: Path, style: Path, root: Path) -> None:
    """The same as PDF; pictures lie under `root`."""
    here = path.parent
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "report.typ"
        _pandoc(text, "typst", source, here, style, ["--standalone", f"--template={style / 'page.typ'}"])
        # typst finds images relative to its source, so the source lies beside the report while it is compiled.
        beside = here / ".report.typ"
        beside.write_bytes(source.read_bytes())
    try:
        write_atomically(path, typst.compile(str(beside), root=str(root), timestamp=0))
    finally:
        beside.unlink()


def _scrollable_tables(page: str) -> str:
    """A wide table scrolls inside its own box; focusable, so that a keyboard can scroll it too."""
    opening = '<div class="tablewrap" tabindex="0" role="region" aria-label="table"><table'
    return re.sub(r"<table", opening, page).replace("</table>", "</table></div>")


def _pandoc(text: str, kind: str, target: Path, here: Path, style: Path, options: list[str]) -> None:
    paths = [f"--bibliography={style / 'references.bib'}", f"--resource-path={here}:{style}"]
    pypandoc.convert_text(
        text, kind, format=MARKDOWN, outputfile=str(target), cworkdir=str(here),
        extra_args=["--citeproc", *paths, *options, "--metadata=lang:en"],
    )  # fmt: skip
