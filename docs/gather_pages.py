"""For mkdocs: pages that stand elsewhere in the repository, and links to them, which are written as they are there."""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
ELSEWHERE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "benchmarks/README.md": "benchmarks.md",
    "config/README.md": "configuration.md",
}
LINK = re.compile(r"(\]\()([^)#\s]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages."""
    for source, page in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Has each link lead where the file that it names has become a page."""
    here = next((s for s, p in ELSEWHERE.items() if p == page.file.src_uri), f"docs/{page.file.src_uri}")
    return LINK.sub(lambda found: found[1] + moved(found[2], posixpath.dirname(here)), markdown)


def moved(target: str, folder: str) -> str:
    """The address among the pages of what a document in `folder` of the repository links to."""
    if re.match(r"[a-z]+:", target):
        return target
    path = posixpath.normpath(posixpath.join(folder, target))
    return ELSEWHERE.get(path, path.removeprefix("docs/"))
