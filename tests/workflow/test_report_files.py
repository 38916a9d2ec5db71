"""The report as files: links lead somewhere, the PDF's fonts are in it and nothing leaves its page."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytestmark = pytest.mark.dag
MARGIN = 28.0  # points; the page's own margins are twice that


class Links(HTMLParser):
    """Targets and anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids.add(values.get("id") or "")
        if tag == "a" and values.get("href"):
            self.hrefs.append(str(values["href"]))


@pytest.fixture(scope="module")
def report(smoke) -> Path:
    return smoke / "results/smoke/report"


def test_every_link_in_the_page_leads_to_a_file_or_an_anchor(report):
    found = Links((report / "index.html").read_text(encoding="utf-8"))
    inner = {h for h in found.hrefs if h.startswith("#")}
    assert {h[1:] for h in inner} <= found.ids
    files = {h for h in found.hrefs if not re.match(r"#|https?:|mailto:|data:", h)}
    assert len(files) > 30
    assert [h for h in sorted(files) if not (report / h).resolve().is_file()] == []


def poppler(tool: str, *arguments: str) -> str:
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} on this machine (Debian: poppler-utils)")
    return subprocess.run([tool, *arguments], capture_output=True, text=True, check=True).stdout


def test_every_font_of_the_pdf_is_embedded(report):
    rows = poppler("pdffonts", str(report / "report.pdf")).splitlines()[2:]
    assert rows
    assert [row for row in rows if row.split()[-5] != "yes"] == []


def test_no_word_of_the_pdf_leaves_its_page(report):
    text = poppler("pdftotext", "-bbox", str(report / "report.pdf"), "-")
    width, words = 0.0, 0
    for line in text.splitlines():
        if page := re.search(r'<page width="([\d.]+)"', line):
            width = float(page[1])
        elif word := re.search(r'<word xMin="([-\d.]+)".*xMax="([-\d.]+)"', line):
            words += 1
            assert float(word[1]) >= MARGIN, line
            assert float(word[2]) <= width - MARGIN, line
    assert words > 1000
