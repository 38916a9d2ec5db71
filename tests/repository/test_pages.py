"""The documentation as pages: built without network, every link found, nothing fetched by who reads it."""

from __future__ import annotations

import re
import socket
from html.parser import HTMLParser

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}


class Fetched(HTMLParser):
    """What a browser fetches to show a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        about = dict(attrs)
        if tag in FETCHED and about.get("rel") not in ("canonical", "next", "prev"):
            self.found += [address for address in [about.get(FETCHED[tag])] if address]


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", lambda *_: pytest.fail("asks for the network"))
        patch.setenv("NO_MKDOCS_2_WARNING", "1")
        build(load_config(str(root / "mkdocs.yml"), site_dir=str(folder), strict=True))  # a warning ends it
    return folder


def test_every_document_is_a_page_and_in_the_menu(root, site):
    home = (site / "index.html").read_text(encoding="utf-8")
    for page in [*(p.stem for p in (root / "docs").glob("*.md")), "contributing", "configuration", "changelog", "benchmarks"]:  # fmt: skip
        assert (site / f"{page}.html").is_file()
        assert f'href="{page}.html"' in home
    assert not list(site.glob("*.py"))


def test_a_page_fetches_nothing_from_elsewhere(site):
    pages = [p for p in site.glob("*.html") if p.name != "404.html"]
    found = {address for page in pages for address in Fetched(page.read_text(encoding="utf-8")).found}
    assert {"pictures/answer_trace.svg"} <= found
    for address in found:
        assert not re.match(r"(\w+:)?//", address), address
        assert (site / address.partition("?")[0]).is_file(), address
    for style in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(https?:)?//|@import", style.read_text(encoding="utf-8")), style


def test_a_diagram_is_a_picture_for_the_theme_would_fetch_what_draws_its_text(root, site):
    assert [p.name for p in site.glob("*.html") if "mermaid" in p.read_text(encoding="utf-8")] == []
    assert 'src="pictures/house.svg"' in (site / "architecture.html").read_text(encoding="utf-8")
    boxes = re.findall(
        r'<g class="(\w+)".*?class="name"[^>]*>(\w+)<', (root / "docs/pictures/house.svg").read_text()
    )
    assert len(boxes) > 5
    for kind, name in boxes:
        assert (root / ("src/odestudy" if kind == "room" else "") / name).is_dir(), name


def test_what_is_escaped_in_a_document_is_shown_without_its_escape(site):
    text = (site / "index.html").read_text(encoding="utf-8")
    assert "y' = y" in text
    assert "\\'" not in text
